//! What the clients of 2ch read and send: files in Shift_JIS that only grow, and posts by `bbs.cgi`.

mod dat;
mod door;
mod files;
mod front;
mod reader;
mod sending;
