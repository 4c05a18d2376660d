// Bytes out of DEFLATE (RFC 1951), which holds the images. A browser would unpack them from a PNG
// picture, but then they could only be read from a canvas, and browsers that guard their user's
// privacy change what is read from one. DecompressionStream is missing in older browsers.

// What the symbols from 257 on, and those of distances, begin at, and how many bits are added.
const LENGTHS = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99,
  115, 131, 163, 195, 227, 258];
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5,
  5, 0];
const DISTANCES = [1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769,
  1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577];
const DISTANCE_BITS = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11,
  11, 12, 12, 13, 13];
// The order in which the lengths of the codes of lengths come.
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** A table of a Huffman code from the length of each symbol's code: for each sequence of the next
 * bits, the symbol that they begin with, and in the lowest four bits the length of its code. */
function huffmanTable(lengths) {
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
  const table = new Uint16Array(1 << longest);
  let code = 0;
  for (let length = 1; length <= longest; length++) {
    lengths.forEach((ofSymbol, symbol) => {
      if (ofSymbol !== length) return;
      let first = 0; // the code, whose first bit is the lowest one here
      for (let bit = 0; bit < length; bit++) first |= ((code >> bit) & 1) << (length - 1 - bit);
      for (let i = first; i < table.length; i += 1 << length) table[i] = (symbol << 4) | length;
      code++;
    });
    code <<= 1;
  }
  return table;
}

/** The bytes that were packed, of which there are so many. */
function inflate(packed, size) {
  const out = new Uint8Array(size);
  let end = 0; // of what is there
  let next = 0; // the byte to read
  let held = 0; // bits that are read and not yet used
  let count = 0; // of these

  function need(wanted) {
    for (; count < wanted; count += 8) held |= packed[next++] << count;
  }
  function bits(wanted) {
    need(wanted);
    const value = held & ((1 << wanted) - 1);
    held >>>= wanted;
    count -= wanted;
    return value;
  }
  function symbol(table) {
    need(15); // past the end there are zeros
    const found = table[held & (table.length - 1)];
    held >>>= found & 15;
    count -= found & 15;
    return found >> 4;
  }
  function fixedTables() {
    const lengths = Array(288).fill(8).fill(9, 144, 256).fill(7, 256, 280);
    return [huffmanTable(lengths), huffmanTable(Array(30).fill(5))];
  }
  function dynamicTables() {
    const [literals, distances, codes] = [257 + bits(5), 1 + bits(5), 4 + bits(4)];
    const lengthsOfCodes = Array(19).fill(0);
    for (const place of ORDER.slice(0, codes)) lengthsOfCodes[place] = bits(3);
    const table = huffmanTable(lengthsOfCodes);
    const lengths = [];
    while (lengths.length < literals + distances) {
      const found = symbol(table);
      let [length, times] = [found, 1];
      if (found === 16) [length, times] = [lengths[lengths.length - 1], 3 + bits(2)];
      else if (found === 17) [length, times] = [0, 3 + bits(3)];
      else if (found === 18) [length, times] = [0, 11 + bits(7)];
      for (; times; times--) lengths.push(length);
    }
    return [huffmanTable(lengths.slice(0, literals)), huffmanTable(lengths.slice(literals))];
  }
  function copyStored() {
    held = 0;
    next -= count >> 3; // whole bytes that were read too early
    count = 0;
    const length = packed[next] | (packed[next + 1] << 8);
    next += 4;
    out.set(packed.subarray(next, next + length), end);
    next += length;
    end += length;
  }

  let isLast = 0;
  while (!isLast) {
    isLast = bits(1);
    const kind = bits(2);
    if (kind === 0) {
      copyStored();
      continue;
    }
    const [literals, distances] = kind === 1 ? fixedTables() : dynamicTables();
    for (let found = symbol(literals); found !== 256; found = symbol(literals)) {
      if (found < 256) {
        out[end++] = found;
        continue;
      }
      const stop = end + LENGTHS[found - 257] + bits(LENGTH_BITS[found - 257]);
      const place = symbol(distances);
      const distance = DISTANCES[place] + bits(DISTANCE_BITS[place]);
      for (; end < stop; end++) out[end] = out[end - distance];
    }
  }
  return out;
}
