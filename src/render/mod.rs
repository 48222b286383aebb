//! Model and theme to pages, in memory.
pub mod markup;
pub mod views;
