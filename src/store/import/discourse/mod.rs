//! Topics of a Discourse forum, as `/t/ID.json` serves them.
//!
//! A file is a topic, or a part of one: the forum hands out twenty posts at a time. Posts are counted in each topic, while
//! a board here counts all its posts in one row. So all files are read twice: first for the times of their posts, by
//! which [`Numbering`] gives them numbers, and then topic by topic for the posts, whose HTML becomes markup. What only
//! some may see at the forum is not carried over: whispers, private messages, and posts that were removed or hidden.

mod raw;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use chrono::DateTime;

use super::fourchan::{read, text_of};
use super::loose::Loose;
use super::numbering::{Numbering, Registry};
use super::sources::DEPTH_MAX;
use super::{Address, ImportError, Imported, Report, Sink, Stats, Take, body, field, fill_times, html, moment};
use crate::model::quotes::{self, Quote};
use crate::model::{BoardSlug, Post, PostNo, Problem, Thread, ThreadFlags};
use raw::{RawPost, RawTopic};

/// A longer text is no post.
pub const POST_BYTES_MAX: usize = 1_000_000;

/// Reads the topics of `sources`, files or folders, as threads of `board`. Folders are walked in the order of names.
///
/// Files of the same topic are put together. A file that cannot be read is a problem, and so is a topic of which posts
/// are missing; in a folder, files that are plainly something else are only counted.
///
/// Fails if a source does not exist, before anything is taken, or if numbers cannot be remembered, or if `take` fails.
pub fn discourse(
    sources: &[PathBuf],
    board: &BoardSlug,
    registry: &mut dyn Registry,
    take: Take<'_>,
    problem: Report<'_>,
) -> Result<Stats, ImportError> {
    for path in sources {
        fs::metadata(path).map_err(|source| ImportError::Read { path: path.clone(), source })?;
    }
    let numbering = Numbering::open("discourse", board, registry)?;
    let sink = Sink::new(take, problem);
    let (topics, order, letters) = (BTreeMap::new(), Vec::new(), HashSet::new());
    let mut reading = Reading { board, sink, numbering, topics, order, letters };
    for path in sources {
        match path.is_dir() {
            true => reading.folder(path)?,
            false => reading.look(path, Found::Named)?,
        }
    }
    reading.plan();
    reading.numbering.settle(registry)?;
    for id in std::mem::take(&mut reading.order) {
        reading.topic(id)?;
    }
    Ok(reading.sink.stats)
}

/// How we came by a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    /// It was asked for, so it has to be a topic.
    Named,
    /// It stands in a folder, so it may be something else.
    InFolder,
}

/// A topic, while only its numbers are known.
#[derive(Default)]
struct Topic {
    files: Vec<PathBuf>,
    /// Places and times of its posts.
    posts: Vec<(u32, Option<i64>)>,
}

struct Reading<'a, 'b> {
    board: &'a BoardSlug,
    sink: Sink<'b>,
    numbering: Numbering,
    topics: BTreeMap<u64, Topic>,
    /// The topics in the order of their files.
    order: Vec<u64>,
    /// Topics that are letters. Not every part of one says so.
    letters: HashSet<u64>,
}

impl Reading<'_, '_> {
    fn folder(&mut self, path: &Path) -> Result<(), ImportError> {
        for entry in walkdir::WalkDir::new(path).max_depth(DEPTH_MAX).sort_by_file_name() {
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) if entry.file_type().is_file() && is_named_as_topic(entry.path()) => {
                    self.look(entry.path(), Found::InFolder)?;
                }
                Ok(entry) => {
                    self.sink.read(entry.metadata().map_or(0, |meta| meta.len()))?;
                    self.sink.stats.skip(entry.path());
                }
                Err(error) => {
                    let at = error.path().unwrap_or(path).to_owned();
                    self.sink.problem(Problem::new(at, format!("cannot be read: {error}")));
                }
            }
        }
        Ok(())
    }

    /// The first look at a file: which posts of which topic are in it.
    fn look(&mut self, path: &Path, found: Found) -> Result<(), ImportError> {
        let (topic, bytes) = match topic_of(path) {
            Ok(read) => read,
            Err(problem) => {
                self.sink.problem(*problem);
                self.sink.end_of(path);
                return self.sink.read(fs::metadata(path).map_or(0, |meta| meta.len()));
            }
        };
        let number = topic.number();
        let posts = topic.posts.as_ref().map_or(0, Vec::len);
        let is_unsure = topic.fault.is_some() && topic.archetype == Loose::Absent;
        if let Some((message, line, column)) = &topic.fault {
            let problem = |message: String| Problem::new(path, message).at(*line, *column);
            self.sink.problem(match posts {
                0 => problem(message.clone()),
                // SECURITY: what tells a letter stands behind the posts, and all that is imported is public.
                _ if is_unsure => {
                    let why = "left out, as nothing tells whether they are private";
                    problem(format!("{message}; the {posts} posts before it are {why}")).hint("save the topic again")
                }
                _ => problem(format!("{message}; the {posts} posts before it are kept")),
            });
        }
        if is_unsure {
            self.sink.stats.lose("posts of topics that are cut off", posts as u64);
            self.sink.end_of(path);
            return self.sink.read(bytes);
        }
        match (&topic.posts, number) {
            (Some(posts), Some(id)) if topic.archetype.text() == "private_message" => {
                self.letters.insert(id);
                self.sink.stats.lose("posts of private messages", posts.len() as u64);
            }
            (Some(posts), Some(id)) if !posts.is_empty() => {
                self.note(path, id, posts);
                self.sink.end_of(path);
                return Ok(());
            }
            (Some(_), _) if topic.fault.is_none() => {
                self.sink.problem(Problem::new(path, "the topic has no posts, or nothing tells its number"));
            }
            (None, _) if topic.fault.is_none() && found == Found::Named => {
                let problem = Problem::new(path, "this is not a topic: there is no `post_stream`");
                self.sink
                    .problem(problem.hint("give files as the forum serves them at `/t/ID.json`, or a folder of them"));
            }
            (None, _) if topic.fault.is_none() => self.sink.stats.skip(path),
            _ => {}
        }
        self.sink.end_of(path);
        self.sink.read(bytes)
    }

    fn note(&mut self, path: &Path, id: u64, posts: &[RawPost]) {
        let order = &mut self.order;
        let topic = self.topics.entry(id).or_insert_with(|| {
            order.push(id);
            Topic::default()
        });
        topic.files.push(path.to_owned());
        for (i, post) in posts.iter().enumerate() {
            match post.place() {
                Some(place) if is_for_all(post) => topic.posts.push((place, time(post))),
                Some(_) => {}
                None => {
                    let message = format!("the number {} of post {} is none; it is left out", post.post_number, i + 1);
                    self.sink.problem(Problem::new(path, message));
                }
            }
        }
    }

    fn plan(&mut self) {
        for id in &self.letters {
            let posts = self.topics.remove(id).map_or(0, |topic| topic.posts.len());
            self.sink.stats.lose("posts of private messages", posts as u64);
        }
        for (id, topic) in &mut self.topics {
            let mut posts = std::mem::take(&mut topic.posts);
            posts.sort_by_key(|(place, _)| *place);
            posts.dedup_by_key(|(place, _)| *place);
            posts.into_iter().for_each(|(place, at)| self.numbering.plan(&id.to_string(), place, at));
        }
    }

    /// The second look: the posts of a topic, out of all its files.
    fn topic(&mut self, id: u64) -> Result<(), ImportError> {
        let Some(topic) = self.topics.remove(&id) else { return Ok(()) };
        let mut head = RawTopic::default();
        let mut posts: BTreeMap<u32, RawPost> = BTreeMap::new();
        let (mut stream, mut there) = (HashSet::new(), HashSet::new());
        let first = topic.files.first().cloned().unwrap_or_default();
        for path in &topic.files {
            // What is wrong with it was told at the first look.
            let Ok((mut part, bytes)) = topic_of(path) else { continue };
            self.sink.read(bytes)?;
            stream.extend(part.stream.iter().copied());
            for post in part.posts.take().unwrap_or_default() {
                there.extend(post.id.whole());
                let Some(place) = post.place().filter(|_| is_for_all(&post)) else {
                    self.count_unseen(&post);
                    continue;
                };
                match posts.get(&place) {
                    None => drop(posts.insert(place, post)),
                    // Parts of a topic may overlap.
                    Some(earlier) if earlier.id == post.id => {}
                    Some(_) => {
                        let message = format!("post {place} of topic {id} came already; the first one counts");
                        self.sink.problem(Problem::new(path, message));
                    }
                }
            }
            if head.title.text().is_empty() {
                head = part;
            }
        }
        let missing = stream.difference(&there).count();
        if 0 < missing {
            self.sink.stats.lose("posts that are not in the files", missing as u64);
            let message = format!("{missing} of {} posts of topic {id} are not in its files", stream.len());
            let hint = format!("get the others too, such as `/t/{id}.json?page=2`, and import again");
            self.sink.problem(Problem::new(&first, message).hint(hint));
        }
        self.thread(id, &first, head, posts)?;
        self.sink.end_of(&first);
        Ok(())
    }

    fn thread(&mut self, id: u64, path: &Path, head: RawTopic, raw: BTreeMap<u32, RawPost>) -> Result<(), ImportError> {
        let name = id.to_string();
        let mut slug = head.slug().to_owned();
        let accepted = raw.iter().find(|(_, post)| post.accepted_answer.is_on()).map(|(place, _)| *place);
        let mut posts = Vec::with_capacity(raw.len());
        let mut places = HashMap::new();
        for (place, raw) in raw {
            let Some(no) = self.numbering.of(&name, place) else { continue };
            if slug.is_empty() {
                raw.topic_slug.text().clone_into(&mut slug);
            }
            if let Some(post) = self.post(&name, path, no, place, &raw) {
                places.insert(no, place);
                posts.push(post);
            }
        }
        posts.sort_unstable_by_key(|post| post.no);
        let Some(op) = posts.first_mut() else {
            self.sink.problem(Problem::new(path, format!("nothing of topic {id} can be carried over")));
            return Ok(());
        };
        if places[&op.no] != 1 {
            let message = format!("topic {id} has no first post; post {} opens the thread", places[&op.no]);
            self.sink.problem(Problem::new(path, message));
        }
        let title = match head.title.text() {
            "" => slug.replace('-', " "),
            title => title.to_owned(),
        };
        if op.deleted {
            self.sink.stats.lose("titles of topics whose first post was removed", 1);
        } else {
            op.subject = field(&title, &mut self.sink.stats);
            let accepted = accepted.and_then(|place| self.numbering.of(&name, place)).filter(|no| *no != op.no);
            op.body.push_str(&foot(accepted, head.tags()));
        }
        fill_times(&mut posts);
        self.sink.stats.lose("categories", u64::from(head.category_id.whole().is_some()));
        let flags = ThreadFlags {
            sticky: head.pinned.is_on() || head.pinned_globally.is_on(),
            locked: head.closed.is_on(),
            archived: head.archived.is_on(),
            ..ThreadFlags::default()
        };
        let no = posts[0].no;
        let board = self.board.clone();
        let nos: Vec<PostNo> = posts.iter().map(|post| post.no).collect();
        self.sink.take(Imported::Thread { board, thread: Thread { flags, changed: None, posts } })?;
        let slug = if slug.is_empty() { "-" } else { &slug };
        let to = Address::of_thread(self.board, no);
        self.sink.moved(format!("/t/{slug}/{id}"), to.clone())?;
        self.sink.moved(format!("/t/{id}"), to)?;
        for post in nos {
            let to = Address::of_post(self.board, no, post);
            self.sink.moved(format!("/t/{slug}/{id}/{}", places[&post]), to)?;
        }
        Ok(())
    }

    fn post(&mut self, topic: &str, path: &Path, no: PostNo, place: u32, raw: &RawPost) -> Option<Post> {
        self.count_losses(raw);
        let at = time(raw).and_then(moment);
        if at.is_none() {
            let message = format!(
                "the time {} of post {place} of topic {topic} cannot be read; it gets that of the post before it",
                raw.created_at
            );
            self.sink.problem(Problem::new(path, message));
        }
        let post = Post { at: at.unwrap_or_default(), ..Post::new(no) };
        if is_removed(raw) {
            return Some(Post { deleted: true, ..post });
        }
        if POST_BYTES_MAX < raw.cooked.text().len().max(raw.raw.text().len()) {
            let message =
                format!("post {place} of topic {topic} is longer than {POST_BYTES_MAX} bytes; it is left out");
            self.sink.problem(Problem::new(path, message));
            return None;
        }
        let mut text = self.text(raw);
        let answers = raw.reply_to_post_number.whole().and_then(|place| u32::try_from(place).ok());
        if let Some(no) = answers.and_then(|place| self.numbering.of(topic, place)) {
            let mut is_quoted = false;
            quotes::scan(&text, |quote| is_quoted |= quote == Quote::Post(no));
            if !is_quoted {
                text = format!(">>{no}\n{text}");
            }
        }
        let stats = &mut self.sink.stats;
        Some(Post { name: field(raw.username.text(), stats), body: text, ..post })
    }

    fn text(&mut self, raw: &RawPost) -> String {
        let cooked = raw.cooked.text();
        if cooked.is_empty() && !raw.raw.text().is_empty() {
            self.sink.stats.lose("texts of which only the source is there, and stays as it is", 1);
            return body(raw.raw.text().to_owned());
        }
        let numbering = &self.numbering;
        let quoted = |topic: u64, post: u64| numbering.of(&topic.to_string(), u32::try_from(post).ok()?);
        let markup = html::page_to_markup(cooked, &quoted);
        markup.lost.into_iter().for_each(|(kind, count)| self.sink.stats.lose(kind, count));
        body(markup.body)
    }

    fn count_losses(&mut self, raw: &RawPost) {
        let stats = &mut self.sink.stats;
        stats.lose("likes", raw.likes());
        stats.lose("hidden posts", u64::from(raw.hidden.is_on() && !is_deleted(raw)));
        stats.lose("marks of staff", u64::from(raw.moderator.is_on() || raw.admin.is_on()));
        let name = raw.name.text().trim();
        stats.lose("full names", u64::from(!name.is_empty() && name != raw.username.text()));
        stats.lose("votes in polls", raw.polls.items());
    }

    /// Counts a post that not everybody sees.
    fn count_unseen(&mut self, raw: &RawPost) {
        let kind = match raw.post_type.whole() {
            Some(WHISPER) => "whispers",
            Some(ACTION) => "notes of what staff did",
            _ => return,
        };
        self.sink.stats.lose(kind, 1);
    }
}

/// What staff did to the topic, mostly without a text.
const ACTION: i64 = 3;
/// What only staff may see.
const WHISPER: i64 = 4;

/// Whether a post is something that everybody sees.
///
/// SECURITY: a file that staff has saved holds whispers, and all that is imported is public.
fn is_for_all(raw: &RawPost) -> bool {
    match raw.post_type.whole() {
        Some(WHISPER) => false,
        Some(ACTION) => !raw.cooked.text().trim().is_empty(),
        _ => true,
    }
}

fn is_deleted(raw: &RawPost) -> bool {
    !raw.deleted_at.text().is_empty() || raw.user_deleted.is_on()
}

/// Whether nobody but staff sees what a post said.
fn is_removed(raw: &RawPost) -> bool {
    is_deleted(raw) || raw.hidden.is_on()
}

/// When it was posted, in Unix seconds.
fn time(raw: &RawPost) -> Option<i64> {
    let time = DateTime::parse_from_rfc3339(raw.created_at.text()).ok()?.timestamp();
    moment(time).map(|_| time)
}

/// Tags of a topic that are named, and characters of one.
const TAGS_MAX: usize = 40;
const TAG_CHARS_MAX: usize = 60;

/// What stands below the text of an opening post: which answer was accepted, and the tags.
pub(super) fn foot<'a>(accepted: Option<PostNo>, tags: impl IntoIterator<Item = &'a str>) -> String {
    let odd = |c: char| c.is_whitespace() || c.is_control();
    let tag = |tag: &str| tag.chars().take(TAG_CHARS_MAX).map(|c| if odd(c) { '-' } else { c }).collect::<String>();
    let tags: Vec<String> = tags.into_iter().take(TAGS_MAX).map(|text| format!("#{}", tag(text))).collect();
    let accepted = accepted.map(|no| format!("✓ >>{no}"));
    let lines: Vec<String> = accepted.into_iter().chain((!tags.is_empty()).then(|| tags.join(" "))).collect();
    if lines.is_empty() { String::new() } else { format!("\n\n{}", lines.join("\n")) }
}

fn is_named_as_topic(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".json") && !name.starts_with('.')
}

/// What a file holds, and how many bytes it has.
fn topic_of(path: &Path) -> Result<(RawTopic, u64), Box<Problem>> {
    let bytes = read(path)?;
    let text = text_of(path, &bytes)?;
    Ok((RawTopic::parse(text), bytes.len() as u64))
}
