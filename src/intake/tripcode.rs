//! Names with a key.
