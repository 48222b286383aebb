//! What people type, made HTML.
