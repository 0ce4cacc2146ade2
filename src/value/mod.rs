//! Values as people write them, parsed once at the edge.
