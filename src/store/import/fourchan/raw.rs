//! A thread as it stands in a file, before anything of it is judged.

use std::fmt;
use std::path::Path;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::model::{PostNo, Problem, ThreadFlags};
use crate::store::import::json_fault;
use crate::store::import::loose::Loose;

/// A post as it stands in a file.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct RawPost {
    pub no: Loose,
    pub resto: Loose,
    pub time: Loose,
    pub name: Loose,
    pub trip: Loose,
    pub capcode: Loose,
    pub sub: Loose,
    pub com: Loose,
    pub email: Loose,
    pub sticky: Loose,
    pub closed: Loose,
    pub locked: Loose,
    pub archived: Loose,
    pub cyclical: Loose,
    pub cyclic: Loose,
    pub bumplock: Loose,
    pub semantic_url: Loose,
    pub filename: Loose,
    pub tim: Loose,
    pub filedeleted: Loose,
    pub extra_files: Loose,
    pub embed: Loose,
    pub id: Loose,
    pub country: Loose,
    pub troll_country: Loose,
    pub board_flag: Loose,
}

impl RawPost {
    /// Whether it says that it opens a thread: it answers nothing, or itself.
    pub fn opens(&self, no: PostNo) -> bool {
        self.resto.whole() == Some(0) || self.resto.post_no() == Some(no)
    }

    /// What it says of its thread.
    pub fn flags(&self) -> ThreadFlags {
        ThreadFlags {
            sticky: self.sticky.is_on(),
            locked: self.closed.is_on() || self.locked.is_on(),
            archived: self.archived.is_on(),
            bumplock: self.bumplock.is_on(),
            cyclic: self.cyclical.is_on() || self.cyclic.is_on(),
        }
    }
}

/// What a file holds.
pub struct RawThread {
    /// The posts, in the order of the file; `None` if it is sound but no thread.
    pub posts: Option<Vec<RawPost>>,
    /// What is wrong with it, as far as it could be read.
    pub problem: Option<Problem>,
}

/// The text of a file; what is not UTF-8 is told with its place.
pub(in crate::store::import) fn text<'a>(path: &Path, bytes: &'a [u8]) -> Result<&'a str, Problem> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let good = &bytes[..error.valid_up_to()];
        let line = memchr::memchr_iter(b'\n', good).count() + 1;
        let column = good.len() - memchr::memrchr(b'\n', good).map_or(0, |at| at + 1) + 1;
        let problem = Problem::new(path, "the file is not UTF-8").at(line, column);
        problem.hint("`iconv -f ENCODING -t UTF-8` converts it")
    })
}

/// Reads a file of the API. Of one that is broken or cut off, the posts before that place are there.
pub fn parse(path: &Path, text: &str) -> RawThread {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let mut posts = None;
    let read = match text.trim_ascii_start().as_bytes().first() {
        Some(b'{') => Document(&mut posts).deserialize(&mut deserializer),
        _ => IgnoredAny::deserialize(&mut deserializer).map(drop),
    };
    let problem = read.and_then(|()| deserializer.end()).err().map(|error| {
        let (mut message, line, column) = json_fault(&error);
        if let Some(posts) = posts.as_ref().filter(|posts| !posts.is_empty()) {
            message = format!("{message}; the {} posts before it are kept", posts.len());
        }
        Problem::new(path, message).at(line, column)
    });
    if problem.is_some() && posts.as_ref().is_some_and(Vec::is_empty) {
        posts = None;
    }
    RawThread { posts, problem }
}

/// A file of the API, whose posts are put down one by one; a list of threads has none.
struct Document<'a>(&'a mut Option<Vec<RawPost>>);

impl<'de> DeserializeSeed<'de> for Document<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Document<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a thread")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        while let Some(name) = fields.next_key::<std::borrow::Cow<'de, str>>()? {
            match name.as_ref() {
                "posts" => fields.next_value_seed(Posts(self.0.get_or_insert_default()))?,
                _ => drop(fields.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

struct Posts<'a>(&'a mut Vec<RawPost>);

impl<'de> DeserializeSeed<'de> for Posts<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Posts<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of posts")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(post) = items.next_element()? {
            self.0.push(post);
        }
        Ok(())
    }
}
