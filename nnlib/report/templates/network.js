// The network in the page: what nnlib.network.TwoLayerNet and nnlib.analysis.evidence compute, in
// float64. An image is its pixels from 0 to 255, row by row; p is a pixel, h a hidden unit, c and k
// are classes, and "blank" is about the image without ink.

// Each activation z = f(a), with its derivative as a function of z.
const ACTIVATIONS = {
  sigmoid: {
    f: (a) => {
      const exp = Math.exp(Math.min(a, 40)); // which never overflows
      return exp / (exp + 1);
    },
    derivative: (z) => z * (1 - z),
  },
  relu: { f: (a) => Math.max(a, 0), derivative: (z) => (z > 0 ? 1 : 0) },
  tanh: { f: Math.tanh, derivative: (z) => 1 - z * z },
};

const decoded = {}; // once they are needed: the page is shown before

/** A network by the id of the element that holds it: the page's own, or the second if it has one. */
function network(id = "network") {
  decoded[id] ??= decode(JSON.parse(document.getElementById(id).textContent));
  return decoded[id];
}

/** The weights of the first layer, as they are, or from numbers of 16 or of 8 bits. */
function firstLayer({ W1, isHalf, scales }) {
  if (scales === undefined) return isHalf ? halves(W1) : floats(W1);
  const sizes = floats(scales); // of a step of each hidden unit's weights
  const codes = new Int8Array(bytes(W1).buffer);
  return Float32Array.from(codes, (code, i) => code * sizes[i % sizes.length]);
}

function decode({ activation, pixelMean, pixelStd, ...arrays }) {
  const W1 = firstLayer(arrays); // (D, H)
  const W2 = floats(arrays.W2); // (H, C)
  const { f, derivative } = ACTIVATIONS[activation];
  const H = floats(arrays.b1).length;
  const C = names.length;
  // The inputs are float32, as Encoding.inputs makes them.
  const inputs = Array.from(
    { length: 256 },
    (_, pixel) => Math.fround((pixel / 255 - pixelMean) / pixelStd),
  );
  const a0 = Float64Array.from(floats(arrays.b1)); // of the hidden units, blank
  if (inputs[0] !== 0) W1.forEach((weight, i) => { a0[i % H] += inputs[0] * weight; });
  const z0 = a0.map(f);
  const blank = Float64Array.from(floats(arrays.b2)); // logits
  W2.forEach((weight, i) => { blank[i % C] += z0[Math.floor(i / C)] * weight; });
  const inks = inputs.map((input) => input - inputs[0]);
  return { W1, W2, H, C, f, derivative, inks, a0, z0, blank };
}

/** Numbers from their float16 codes: a sign, 5 bits of exponent, 10 of fraction. */
function halves(text) {
  const values = Float32Array.from({ length: 1 << 16 }, (_, code) => {
    const exponent = (code >> 10) & 31;
    const fraction = code & 1023;
    const size = exponent ? 2 ** (exponent - 25) * (1024 + fraction) : 2 ** -24 * fraction;
    return code >> 15 ? -size : size;
  });
  const codes = new Uint16Array(bytes(text).buffer);
  const numbers = new Float32Array(codes.length);
  for (let i = 0; i < codes.length; i++) numbers[i] = values[codes[i]];
  return numbers;
}

/** What a network makes of an image: logits, probabilities, and what the evidence needs. */
function look(pixels, id = "network") {
  const { W1, W2, H, C, f, inks, a0, z0, blank } = network(id);
  const s = new Float64Array(H); // what the ink adds to the input of each hidden unit
  pixels.forEach((pixel, p) => {
    if (!pixel) return;
    const ink = inks[pixel];
    for (let h = 0; h < H; h++) s[h] += ink * W1[p * H + h];
  });
  const rise = s.map((added, h) => f(added + a0[h]) - z0[h]); // of the activation
  const logits = blank.slice();
  for (let h = 0; h < H; h++) {
    for (let c = 0; c < C; c++) logits[c] += rise[h] * W2[h * C + c];
  }
  const highest = Math.max(...logits);
  const exps = logits.map((logit) => Math.exp(logit - highest));
  const sum = exps.reduce((total, exp) => total + exp);
  const y = exps.map((exp) => exp / sum);
  const ranked = names.map((_, label) => label).sort((c, k) => logits[k] - logits[c]);
  return { id, pixels, s, rise, logits, y, ranked };
}

/** The part of each hidden unit in the evidence for c against k, in nats. */
function unitEvidence({ id, rise }, c, k) {
  const { W2, C } = network(id);
  return rise.map((rose, h) => rose * (W2[h * C + c] - W2[h * C + k]));
}

/** The part of each pixel, with the same sum. */
function pixelEvidence(seen, c, k) {
  const { pixels } = seen;
  const { W1, W2, H, C, inks } = network(seen.id);
  const through = meanSlopes(seen).map((slope, h) => slope * (W2[h * C + c] - W2[h * C + k]));
  return Float64Array.from(pixels, (pixel, p) => {
    if (!pixel) return 0;
    let sum = 0;
    for (let h = 0; h < H; h++) sum += W1[p * H + h] * through[h];
    return inks[pixel] * sum;
  });
}

/** Mean of the activation's derivative between a0 and s + a0. */
function meanSlopes({ id, s, rise }) {
  const { f, derivative, a0, z0 } = network(id);
  return s.map((added, h) => {
    // The smaller s, the less exact is rise / s, and the closer is the derivative halfway. It is
    // taken where it explains the rise to within what rounding does to that.
    const slope = derivative(f(added / 2 + a0[h]));
    const size = Math.abs(z0[h]) + Math.abs(rise[h])
      + Math.abs(slope) * (Math.abs(a0[h]) + Math.abs(added));
    const isOff = Math.abs(slope * added - rise[h]) > 8 * Number.EPSILON * size;
    return isOff ? rise[h] / added : slope;
  });
}
