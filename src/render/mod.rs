//! Model and theme to pages, in memory.
//!
//! [`plan`] says which pages a change touches, [`draw`] draws them, [`markup`] makes HTML of what people type, and
//! [`theme`] holds the templates. Everything here is a function of content, theme and settings: the same input gives
//! the same bytes, on whatever day and however many threads.

mod assets;
mod board_pen;
mod bytes;
mod digits;
pub mod draw;
mod escape;
mod excerpt;
mod feed;
mod fourchan;
mod frame;
mod json;
pub mod links;
pub mod markup;
mod overboard;
mod page_template;
pub mod plan;
mod post_template;
mod posts;
pub mod previews;
mod public_log;
pub mod refusals;
mod samples;
mod sitemap;
pub mod staff;
pub mod theme;
mod time;
mod triple_braces;
mod two_channel;
mod values;
pub mod views;
pub mod wording;

pub use draw::Pen;
pub use excerpt::excerpt;
pub use plan::Job;
pub use previews::Previews;
pub use theme::{BadTheme, Theme};

/// Name and version of the program, as pages tell it.
pub const GENERATOR: &str = concat!("nejiboard ", env!("CARGO_PKG_VERSION"));
