//! Threads from elsewhere, put into thread files.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path;

use crate::app::error::chain;
use crate::disk::{self, DiskError};
use crate::model::{BoardSlug, Post, PostNo, Problem, Site, Thread, ThreadKey};
use crate::store::import::{Address, Imported};
use crate::store::site_dir::SiteDir;
use crate::store::{content, settings, thread_file};

/// Puts what an importer yields into thread files. Nothing that is there is changed: posts are added.
pub(super) struct Writer {
    dir: SiteDir,
    /// In which thread a number stands that this import has written.
    taken: BTreeMap<BoardSlug, HashMap<PostNo, PostNo>>,
    /// Boards that were not there.
    pub boards_made: usize,
    /// Posts that were not there.
    pub posts_added: usize,
    /// Posts that could not be added, since their number or their thread's is taken or their thread is missing.
    pub posts_left_out: usize,
    /// The thread that was looked for last, and whether it is there.
    sought: Option<(ThreadKey, bool)>,
}

impl Writer {
    /// For the site in `dir`.
    pub fn new(dir: SiteDir) -> Writer {
        Writer { dir, taken: BTreeMap::new(), boards_made: 0, posts_added: 0, posts_left_out: 0, sought: None }
    }

    /// Puts a board, a thread or replies where they belong.
    pub fn take(&mut self, imported: Imported, site: &Site, problems: &mut Vec<Problem>) -> io::Result<()> {
        let done = match imported {
            Imported::Board { slug, title, description } => self.make_board(&slug, &title, &description),
            Imported::Thread { board, thread } => self.put_thread(&board, thread, site, problems),
            Imported::Replies { board, thread, posts, if_absent } => {
                self.put_replies(ThreadKey { board, no: thread }, posts, if_absent, site, problems)
            }
            Imported::Moved { .. } | Imported::Read(_) => Ok(()),
        };
        done.map_err(|error| io::Error::new(error.source.kind(), chain(&error)))
    }

    /// Whether what an address names is there.
    pub fn has(&mut self, address: &Address) -> bool {
        let Some(no) = address.thread else { return self.dir.content().join(address.board.as_str()).is_dir() };
        let key = ThreadKey { board: address.board.clone(), no };
        match &self.sought {
            Some((sought, there)) if *sought == key => *there,
            _ => {
                let there = content::path_of(self.dir.root(), &key).exists();
                self.sought = Some((key, there));
                there
            }
        }
    }

    fn make_board(&mut self, slug: &BoardSlug, title: &str, description: &str) -> Result<(), DiskError> {
        let folder = self.dir.content().join(slug.as_str());
        let file = folder.join("board.yaml");
        if folder.is_dir() && (file.exists() || self.taken.contains_key(slug)) {
            return Ok(());
        }
        disk::create_dir_all(&folder)?;
        disk::point("folder of an imported board made");
        disk::replace_soon(&file, settings::sample_board(title, description).as_bytes())?;
        self.boards_made += 1;
        Ok(())
    }

    fn put_thread(
        &mut self,
        board: &BoardSlug,
        mut thread: Thread,
        site: &Site,
        problems: &mut Vec<Problem>,
    ) -> Result<(), DiskError> {
        let key = ThreadKey { board: board.clone(), no: thread.no() };
        let folder = self.dir.content().join(board.as_str());
        if !folder.is_dir() {
            self.make_board(board, board.as_str(), "")?;
        }
        let path = content::path_of(self.dir.root(), &key);
        let op = thread.no();
        let held_elsewhere = |post: &Post| self.holder(&key, post.no, site).map(|holder| (post.no, holder));
        let conflicts: Vec<(PostNo, PostNo)> = thread.posts.iter().filter_map(held_elsewhere).collect();
        for (no, holder) in &conflicts {
            problems.push(number_taken(&path, *no, *holder));
        }
        if conflicts.iter().any(|(no, _)| *no == op) {
            self.posts_left_out += thread.posts.len();
            return Ok(());
        }
        self.posts_left_out += conflicts.len();
        thread.posts.retain(|post| conflicts.iter().all(|(no, _)| *no != post.no));
        match read_existing(&path)? {
            Existing::None => self.write(&key, &path, &thread_file::write(&thread), &thread.posts),
            Existing::Broken(problem) => {
                problems.push(problem);
                self.posts_left_out += thread.posts.len();
                Ok(())
            }
            Existing::Thread(_, old) if !same_post(old.op(), thread.op()) => {
                let hint = "import into another board";
                problems.push(Problem::new(&path, "another thread has this number already").hint(hint));
                self.posts_left_out += thread.posts.len();
                Ok(())
            }
            Existing::Thread(bytes, old) => self.merge(&key, &path, &bytes, old, thread.posts),
        }
    }

    fn put_replies(
        &mut self,
        key: ThreadKey,
        mut posts: Vec<Post>,
        if_absent: Problem,
        site: &Site,
        problems: &mut Vec<Problem>,
    ) -> Result<(), DiskError> {
        let path = content::path_of(self.dir.root(), &key);
        let (bytes, old) = match read_existing(&path)? {
            Existing::Thread(bytes, old) => (bytes, old),
            Existing::Broken(problem) => {
                problems.push(problem);
                self.posts_left_out += posts.len();
                return Ok(());
            }
            Existing::None => {
                problems.push(if_absent);
                self.posts_left_out += posts.len();
                return Ok(());
            }
        };
        let wanted = posts.len();
        posts.retain(|post| match self.holder(&key, post.no, site) {
            Some(holder) => {
                problems.push(number_taken(&path, post.no, holder));
                false
            }
            None => true,
        });
        self.posts_left_out += wanted - posts.len();
        self.merge(&key, &path, &bytes, old, posts)
    }

    /// The other thread that has this number.
    fn holder(&self, key: &ThreadKey, no: PostNo, site: &Site) -> Option<PostNo> {
        let here = self.taken.get(&key.board).and_then(|taken| taken.get(&no)).copied();
        let before = || site.board(&key.board).and_then(|board| board.thread_of(no));
        here.or_else(before).filter(|holder| *holder != key.no)
    }

    /// Adds the posts that the file lacks.
    fn merge(
        &mut self,
        key: &ThreadKey,
        path: &Path,
        bytes: &[u8],
        mut old: Thread,
        posts: Vec<Post>,
    ) -> Result<(), DiskError> {
        let there: std::collections::BTreeSet<PostNo> = old.posts.iter().map(|post| post.no).collect();
        let missing: Vec<Post> = posts.into_iter().filter(|post| !there.contains(&post.no)).collect();
        let (Some(first), Some(last)) = (missing.first(), there.last()) else { return Ok(()) };
        if *last < first.no {
            return self.write(key, path, &thread_file::append(bytes, &missing), &missing);
        }
        old.posts.extend(missing.iter().cloned());
        old.posts.sort_by_key(|post| post.no);
        self.write(key, path, &thread_file::write(&old), &missing)
    }

    fn write(&mut self, key: &ThreadKey, path: &Path, bytes: &[u8], added: &[Post]) -> Result<(), DiskError> {
        disk::replace_soon(path, bytes)?;
        disk::point("thread imported");
        let taken = self.taken.entry(key.board.clone()).or_default();
        taken.extend(added.iter().map(|post| (post.no, key.no)));
        self.posts_added += added.len();
        Ok(())
    }

    /// Waits until everything is on disk: once for all, instead of once a thread.
    pub fn finish(&self) -> Result<(), DiskError> {
        let content = self.dir.content();
        let synced = std::fs::File::open(&content).and_then(|folder| Ok(rustix::fs::syncfs(folder)?));
        synced.map_err(DiskError::doing("sync", &content))
    }
}

/// What stands where a thread is to go.
enum Existing {
    None,
    Thread(Vec<u8>, Thread),
    /// A file of which not everything could be read. To write it anew would lose that.
    Broken(Problem),
}

fn read_existing(path: &Path) -> Result<Existing, DiskError> {
    let bytes = match disk::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.is_absent() => return Ok(Existing::None),
        Err(error) => return Err(error),
    };
    let reading = thread_file::read(path, &bytes);
    match (reading.thread, reading.problems.into_iter().next()) {
        (Some(thread), None) => Ok(Existing::Thread(bytes, thread)),
        // Torn by a power cut during an earlier import.
        _ if bytes.iter().all(|byte| *byte == 0 || byte.is_ascii_whitespace()) => Ok(Existing::None),
        (_, problem) => {
            let place = problem.and_then(|problem| problem.place);
            let problem = Problem::new(path, "not all of this file can be read; nothing was added to it");
            let problem = problem.hint("`nejiboard check` tells what is wrong; put it right and import again");
            Ok(Existing::Broken(place.map_or(problem.clone(), |(line, column)| problem.at(line, column))))
        }
    }
}

/// Whether two opening posts of the same number are the same post, edited or removed perhaps.
fn same_post(a: &Post, b: &Post) -> bool {
    a.at == b.at || a.body == b.body
}

fn number_taken(path: &Path, no: PostNo, holder: PostNo) -> Problem {
    let message = format!("post number {no} stands in thread {holder} already; it was passed over");
    Problem::new(path, message).hint("import into another board")
}
