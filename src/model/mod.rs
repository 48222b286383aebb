//! Plain values with their invariants: what every other room speaks about.
//!
//! Text from outside is checked once, by a `parse` function of the type that holds it, and from then on the type
//! carries the proof. Nothing here reads a file, listens, or looks at the clock.

pub mod act;
pub mod ban;
pub mod board;
pub mod caching;
pub mod capcode;
pub mod coding;
pub mod delta;
pub mod formats;
pub mod grounds;
pub mod health;
pub mod likeness;
pub mod lines;
pub mod nearest;
mod order;
pub mod overboard;
pub mod page;
pub mod places;
pub mod post;
pub mod problem;
pub mod public_act;
pub mod quotes;
pub mod report;
pub mod role;
pub mod settings;
pub mod site;
pub mod staff;
pub mod submission;
pub mod summary;
pub mod texts;
pub mod theme;
pub mod thread;

pub use act::Act;
pub use board::BoardSlug;
pub use coding::{Coding, Codings};
pub use delta::{Change, Delta, Numbered};
pub use formats::{Format, Formats};
pub use grounds::{FormFault, RequestFault};
pub use health::Trouble;
pub use page::{BoardFile, OverboardPage, Page, PageKey, SiteFile, ThreadFile};
pub use post::{Post, PostId, PostKey, PostNo};
pub use problem::Problem;
pub use report::Report;
pub use settings::{BoardSettings, Overflow, SiteSettings};
pub use site::{Board, Site};
pub use submission::{Arrival, Effort, ErrorView, Form, ReaderRequest, Receipt, Refusal, Riddle, Submission, Verdict};
pub use summary::{Stamp, ThreadSummary};
pub use texts::Texts;
pub use thread::{Thread, ThreadFlags, ThreadKey};
