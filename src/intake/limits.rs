//! Every bound of the door, by name.

use std::time::Duration;

use rustix::process::{Resource, getrlimit};

/// How much a stranger can ask of the door. Whatever can grow has its bound here.
#[derive(Clone, PartialEq, Debug)]
pub struct Limits {
    /// Bytes in the body of one request.
    pub body_bytes_max: usize,
    /// The part of a body that most forms do not exceed.
    pub small_body_bytes: usize,
    /// Bytes in the small parts of all bodies that are being read or answered. Decoding needs up to four times as much.
    pub small_bodies_bytes_max: usize,
    /// Bytes in all that exceeds the small parts. Apart from these, so that a few that send much and slowly cannot
    /// keep out the many that send little.
    pub large_bodies_bytes_max: usize,
    /// Bytes of a refused body that are read and thrown away, so that the client gets to see the answer.
    pub discard_bytes_max: usize,
    /// Fields in a form, known and unknown ones together.
    pub fields_max: usize,
    /// Characters in the options, the password and the nonce, each.
    pub small_field_chars_max: usize,
    /// Characters in the reason for which a post is reported.
    pub reason_chars_max: usize,
    /// Characters of a name beyond what the board allows: its key, which is not shown.
    pub name_key_chars_max: usize,
    /// Posts without a nonce that are remembered to know a resend.
    pub resends_max: usize,
    /// How long such a post is remembered.
    pub resend_time: Duration,

    /// Connections that are open together, if the process may open files enough: each is one.
    pub connections_max: usize,
    /// Files that connections leave to the rest of the program; `None` is half of all. Never more than half.
    pub files_spared: Option<usize>,
    /// Connections of one IPv4 address or one IPv6 /64 network.
    pub connections_per_address_max: usize,
    /// Connections from this machine, where a reverse proxy brings everybody under one address.
    pub connections_per_loopback_max: usize,
    /// Bytes that are buffered of a request's head; at least 8,192.
    pub head_bytes_max: usize,
    /// Headers in a request.
    pub headers_max: usize,

    /// Until a new connection sends its first byte.
    pub first_byte_time: Duration,
    /// Until the head of a request is there, counted from the end of the answer before it: also how long a
    /// connection may idle.
    pub head_time: Duration,
    /// Until the body of a request is there.
    pub body_time: Duration,
    /// How long a client may read nothing of what waits for it.
    pub write_stall_time: Duration,
    /// How long a client may say or read nothing, or a body may take, while there is no place for another one: so long
    /// at first, and less and less, to a quarter. Bodies and readers only where places are few.
    pub hurry_time: Duration,
    /// How long the door waits for the backend to accept a post, should the backend not keep its own promise.
    pub accept_time: Duration,
    /// How long running requests may take once the door is told to stop.
    pub stop_time: Duration,
    /// How long connections may wait for their last request when another process takes over at the same address.
    pub farewell_time: Duration,
    /// How long to wait after the process ran out of files.
    pub no_files_pause: Duration,

    /// Bytes of files kept in memory.
    pub cache_bytes_max: usize,
    /// The largest file kept in memory; larger ones are streamed.
    pub cache_file_bytes_max: usize,
    /// Bytes of a streamed file that are read at once.
    pub chunk_bytes: usize,
}

impl Limits {
    /// How long a body or a reader that stalls is left alone at least, while there is no place for others.
    ///
    /// Whoever waits in the system's queue waits for as many turns of all places as there are others in it for each. Where
    /// places are many that is one turn or two, and then nobody has to go who is only far away.
    pub(super) fn stall_time_min(&self) -> Duration {
        self.hurry_time * quarters_of(self.connections_possible()) / 4
    }

    /// How many connections there can be, after the files that the process may open.
    pub fn connections_possible(&self) -> usize {
        let files = files_max();
        self.connections_max.min(files - self.files_spared.unwrap_or(usize::MAX).min(files / 2))
    }

    /// How many files may be open together to be streamed: half of what connections leave, so that there is always
    /// something left for posts and pages.
    pub(super) fn streams_max(&self) -> usize {
        (files_max().saturating_sub(self.connections_possible()) / 2).clamp(1, self.connections_max.max(1))
    }
}

/// With so many places or more, two turns of them take in all that the system's queue holds, which is 4,096 by default.
const PLACES_ENOUGH: usize = 2_048;

/// The part of the time, in quarters, that there is at least with so many places.
fn quarters_of(places: usize) -> u32 {
    match places / (PLACES_ENOUGH / 4) {
        0..2 => 1,
        2..4 => 2,
        _ => 4,
    }
}

/// How many files the process may open.
fn files_max() -> usize {
    getrlimit(Resource::Nofile).current.map_or(usize::MAX, |max| max as usize)
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            body_bytes_max: 1 << 20,
            small_body_bytes: 64 << 10,
            small_bodies_bytes_max: 16 << 20,
            large_bodies_bytes_max: 16 << 20,
            discard_bytes_max: 16 << 20,
            fields_max: 64,
            small_field_chars_max: 128,
            reason_chars_max: 500,
            name_key_chars_max: 128,
            resends_max: 4_096,
            resend_time: Duration::from_secs(30),
            connections_max: 16_384,
            files_spared: None,
            connections_per_address_max: 64,
            connections_per_loopback_max: 4_096,
            head_bytes_max: 16 << 10,
            headers_max: 100,
            first_byte_time: Duration::from_secs(10),
            head_time: Duration::from_secs(15),
            body_time: Duration::from_secs(30),
            write_stall_time: Duration::from_secs(30),
            hurry_time: Duration::from_millis(250),
            accept_time: Duration::from_secs(10),
            stop_time: Duration::from_secs(10),
            farewell_time: Duration::from_secs(3),
            no_files_pause: Duration::from_millis(100),
            cache_bytes_max: 32 << 20,
            cache_file_bytes_max: 512 << 10,
            chunk_bytes: 64 << 10,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_stalls_is_given_less_where_places_are_few() {
        let hurry_time = Duration::from_millis(400);
        // Half of the files that a test may open are more than these.
        for (connections_max, milliseconds) in [(1, 100), (128, 100), (400, 100)] {
            let limits = Limits { connections_max, hurry_time, ..Limits::default() };
            assert_eq!(limits.stall_time_min(), Duration::from_millis(milliseconds), "{connections_max}");
        }
        for (places, quarters) in [(0, 1), (1_023, 1), (1_024, 2), (2_048, 4), (usize::MAX, 4)] {
            assert_eq!(quarters_of(places), quarters, "{places}");
        }
    }
}
