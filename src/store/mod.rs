//! Files to model and back: settings, thread files, the inbox, the theme, the build cache.

pub mod acts;
pub mod audit;
pub mod bans;
pub mod cache;
pub mod changed;
pub mod commit;
pub mod content;
pub mod export;
pub mod filters;
pub mod header;
pub mod held;
pub mod import;
pub mod inbox;
pub mod journal;
pub mod locale;
pub mod mod_log;
pub mod moderate;
pub mod numbers;
pub mod posture;
pub mod reports;
pub mod sessions;
pub mod settings;
pub mod site_dir;
pub mod theme;
pub mod thread_file;
pub mod users;
mod written;
