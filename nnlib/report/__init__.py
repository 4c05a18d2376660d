"""What people look at: figures, reports, pages and the explorer."""
