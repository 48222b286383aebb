//! What can happen to a site.

use std::fs;

use nejiboard::model::act::Deed;
use nejiboard::model::summary::{TAIL_FROM, TAIL_POSTS};
use nejiboard::model::{Act, Arrival, Post, PostId, PostNo, Report, Thread, ThreadFlags, ThreadKey};
use nejiboard::store::{content, thread_file};

use super::super::sandbox::{number, slug};
use super::world::{BOARDS, World, site_settings, thread_key};

/// One thing that can happen.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Kind {
    NewThread,
    Reply,
    Sage,
    /// A reply or a thread that comes through the inbox.
    Commit,
    Tombstone,
    RemoveThread,
    Edit,
    Flag,
    /// A thread's file goes to another board, or gets another name.
    MoveThread,
    /// A member of staff takes a thread to another board.
    Relocate,
    /// A member of staff takes that back, or what took it back.
    Return,
    /// A post goes to another thread of its board by hand.
    MovePost,
    /// A thread's file becomes something that is none, or gets posts that cannot be read.
    Spoil,
    Restart,
    Tamper,
    LosePublic,
    AddBoard,
    RemoveBoard,
    Settings,
    Theme,
    BadSettings,
    Burst,
    /// A thread gets about as many replies as it takes for a page of its last posts.
    Lengthen,
    /// A thread loses all replies behind some place, or most of them become tombstones.
    Shorten,
}

impl World {
    /// Lets something of this kind happen, if it can.
    pub fn change(&mut self, kind: Kind) {
        match kind {
            Kind::NewThread => self.new_thread(),
            Kind::Reply => self.reply(false),
            Kind::Sage => self.reply(true),
            Kind::Commit => self.commit(),
            Kind::Tombstone => self.rewrite("tombstone", |world, thread| {
                let at = world.chance.below(thread.posts.len());
                thread.posts[at] = Post { deleted: true, at: thread.posts[at].at, ..Post::new(thread.posts[at].no) };
            }),
            Kind::RemoveThread => self.remove_thread(),
            Kind::Edit => self.edit(),
            Kind::Flag => self.flag(),
            Kind::MoveThread => self.move_thread(),
            Kind::Relocate => self.relocate(),
            Kind::Return => self.take_back(),
            Kind::MovePost => self.move_post(),
            Kind::Spoil => self.spoil(),
            Kind::Restart => self.restart(),
            Kind::Tamper => self.tamper(),
            Kind::LosePublic => self.lose_public(),
            Kind::AddBoard => self.add_board(),
            Kind::RemoveBoard => self.remove_board(),
            Kind::Settings => {
                let text = site_settings(&mut self.chance);
                self.log(format!("settings: {text:?}"));
                self.site.write("content/site.yaml", text);
                self.told.settings = true;
            }
            Kind::Theme => self.theme(),
            Kind::BadSettings => self.bad_settings(),
            Kind::Burst => self.burst(),
            Kind::Lengthen => self.lengthen(),
            Kind::Shorten => self.shorten(),
        }
    }

    fn any_thread(&mut self) -> Option<ThreadKey> {
        let threads = self.threads();
        (!threads.is_empty()).then(|| self.chance.one_of(&threads).clone())
    }

    /// A text with quotes: of posts that are there, were there, will be there or never will.
    fn body(&mut self) -> String {
        let mut body = format!("text {}", self.chance.below(1_000));
        if self.chance.of(1, 40) {
            // More than the index shows.
            body += &"\nand on".repeat(98 + self.chance.below(4));
        }
        for _ in 0..self.chance.below(3) {
            let board = *self.chance.one_of(&BOARDS);
            let highest = self.highest(board);
            let no = (highest + 3).saturating_sub(self.chance.below(9) as u64).max(1);
            body += &match self.chance.below(4) {
                0 | 1 => format!("\n>>{no}"),
                2 => format!("\n>>>/{board}/{no}"),
                _ => format!("\n>>>/{board}/"),
            };
        }
        body
    }

    fn post(&mut self, no: u64) -> Post {
        let subject = ["", "A subject"][self.chance.below(2)].to_owned();
        Post { at: self.next_time(), subject, body: self.body(), ..Post::new(number(no)) }
    }

    /// The next number: mostly the next one, at times so much higher that it lies in another part of the archive.
    fn next_no(&mut self, board: &str) -> u64 {
        let highest = self.highest(board);
        let jump = [1, 1, 2, 3, (9_995 - highest % 5_000) % 5_000 + 1, 5_000][self.chance.below(6)];
        highest + jump
    }

    fn new_thread(&mut self) {
        let boards = self.boards();
        let Some(board) = (!boards.is_empty()).then(|| *self.chance.one_of(&boards)) else { return };
        let no = self.next_no(board);
        let post = self.post(no);
        let thread = Thread { flags: ThreadFlags::default(), changed: None, posts: vec![post] };
        self.log(format!("new thread {board}/{no}: {:?}", thread.op().body));
        self.write(&thread_key(board, number(no)), &thread_file::write(&thread));
    }

    fn reply(&mut self, sage: bool) {
        let Some(key) = self.any_thread() else { return };
        let no = self.next_no(key.board.as_str());
        let post = Post { sage, ..self.post(no) };
        self.log(format!("reply {no} to {}/{}: {:?}", key.board, key.no, post.body));
        let old = fs::read(content::path_of(self.site.root(), &key)).unwrap();
        self.write(&key, &thread_file::append(&old, &[post]));
    }

    fn commit(&mut self) {
        let boards = self.boards();
        let Some(board) = (!boards.is_empty()).then(|| *self.chance.one_of(&boards)) else { return };
        let threads: Vec<ThreadKey> = self.threads().into_iter().filter(|key| key.board.as_str() == board).collect();
        let arrivals: Vec<Arrival> = (0..1 + self.chance.below(3))
            .map(|_| {
                let reply = !threads.is_empty() && self.chance.of(2, 3);
                let thread = reply.then(|| self.chance.one_of(&threads).no);
                let Post { at, subject, body, .. } = self.post(1);
                let id = PostId::parse(&format!("id{}", self.chance.below(usize::MAX))).unwrap();
                let (board, at) = (thread_key(board, number(1)).board, Some(at));
                let blank = String::new;
                Arrival {
                    id,
                    board,
                    thread,
                    at,
                    name: blank(),
                    trip: blank(),
                    poster_id: blank(),
                    capcode: blank(),
                    subject,
                    sage: false,
                    body,
                }
            })
            .collect();
        let committed = self.builder().commit(arrivals);
        self.log(format!("committed: {:?}, refused {}", committed.placed, committed.refused.len()));
        assert!(committed.failed.is_empty());
    }

    /// Changes a thread as a hand would: the file is written anew.
    fn rewrite(&mut self, what: &str, change: impl FnOnce(&mut World, &mut Thread)) {
        let Some(key) = self.any_thread() else { return };
        let Some(mut thread) = self.read(&key) else { return };
        change(self, &mut thread);
        self.log(format!("{what} in {}/{}: {:?}", key.board, key.no, thread.flags));
        self.write(&key, &thread_file::write(&thread));
    }

    fn edit(&mut self) {
        self.rewrite("edit", |world, thread| {
            let at = world.chance.below(thread.posts.len());
            let post = world.post(thread.posts[at].no.get());
            thread.posts[at] = post;
        });
    }

    fn flag(&mut self) {
        self.rewrite("flag", |world, thread| {
            let flags = &mut thread.flags;
            let flag = match world.chance.below(5) {
                0 | 1 => &mut flags.sticky,
                2 => &mut flags.archived,
                3 => &mut flags.locked,
                _ => &mut flags.bumplock,
            };
            *flag = !*flag;
        });
    }

    fn remove_thread(&mut self) {
        let Some(key) = self.any_thread() else { return };
        self.log(format!("remove {}/{}", key.board, key.no));
        fs::remove_file(content::path_of(self.site.root(), &key)).unwrap();
        self.told.threads.insert(key);
    }

    fn relocate(&mut self) {
        let Some(ThreadKey { board, no: thread }) = self.any_thread() else { return };
        let to = slug(self.chance.one_of::<&str>(&BOARDS));
        self.perform(Deed::Move { board, thread, to });
    }

    fn take_back(&mut self) {
        if !self.moves.is_empty() {
            let of = self.chance.one_of(&self.moves).clone();
            self.perform(Deed::Undo { of });
        }
    }

    /// Carries out an act, which may be refused: what it is about may be gone, or moved.
    fn perform(&mut self, deed: Deed) {
        // An act is about what the program knows, and gives numbers after those.
        self.publish();
        let id = PostId::parse(&format!("act{}", self.moves.len())).unwrap();
        let at = Some(self.next_time());
        let act = Act { id: Some(id.clone()), at, by: "me".to_owned(), why: String::new(), deed };
        let done = self.builder().perform(&act, &mut Report::default());
        self.log(format!("{:?}: {done:?}", act.deed));
        if done.is_ok() {
            self.moves.push(id);
        }
    }

    fn move_thread(&mut self) {
        let (Some(key), boards) = (self.any_thread(), self.boards()) else { return };
        let board = *self.chance.one_of(&boards);
        let mut thread = self.read(&key).unwrap();
        // Under a new number the opening post must have it too.
        let no =
            if self.chance.of(1, 3) { PostNo::new(key.no.get().saturating_sub(1)).unwrap_or(key.no) } else { key.no };
        let target = thread_key(board, no);
        if content::path_of(self.site.root(), &target).exists() {
            return;
        }
        thread.posts[0].no = no;
        self.log(format!("move {}/{} to {board}/{no}", key.board, key.no));
        fs::remove_file(content::path_of(self.site.root(), &key)).unwrap();
        self.told.threads.insert(key);
        self.write(&target, &thread_file::write(&thread));
    }

    fn move_post(&mut self) {
        let (Some(from), Some(to)) = (self.any_thread(), self.any_thread()) else { return };
        let (mut old, mut new) = (self.read(&from).unwrap(), self.read(&to).unwrap());
        let Some(post) = (1 < old.posts.len()).then(|| old.posts.pop().unwrap()) else { return };
        if from == to || from.board != to.board || post.no <= new.no() {
            return;
        }
        self.log(format!("move post {} from {}/{} to {}", post.no, from.board, from.no, to.no));
        new.posts.push(post);
        new.posts.sort_by_key(|post| post.no);
        self.write(&from, &thread_file::write(&old));
        self.write(&to, &thread_file::write(&new));
    }

    fn spoil(&mut self) {
        let Some(key) = self.any_thread() else { return };
        let mut bytes = fs::read(content::path_of(self.site.root(), &key)).unwrap();
        let how = self.chance.below(4);
        match how {
            0 => bytes = b"no header at all\n".to_vec(),
            1 => bytes.extend_from_slice(b"\n--- {\"no\": 1, \"no\"\nhalf a header\n"),
            2 => bytes.truncate(bytes.len() / 2),
            _ => bytes.extend_from_slice(b"\n--- {no: 3, at: 2025-01-01}\n>>1\n>>2 a number that does not rise\n"),
        }
        self.log(format!("spoil {}/{} ({how})", key.board, key.no));
        self.write(&key, &bytes);
    }

    fn restart(&mut self) {
        let cache = self.site.path(".nejiboard/cache");
        let how = self.chance.below(5);
        self.log(format!("restart ({how})"));
        match how {
            0 | 1 => self.builder().save(),
            2 => {
                self.builder().save();
                self.old_cache = fs::read(&cache).ok();
            }
            3 => drop(self.old_cache.as_ref().map(|old| fs::write(&cache, old))),
            _ => {}
        }
        self.reopen();
    }

    fn reopen(&mut self) {
        self.builder = None;
        self.builder = Some(self.site.open().0);
        self.build_after_opening();
    }

    /// Somebody else is at the pages while nothing runs, or a crash leaves things behind.
    fn tamper(&mut self) {
        self.builder().save();
        self.builder = None;
        let public = self.site.path("public");
        let paths: Vec<String> = super::super::sandbox::files_below(&public).into_keys().collect();
        for _ in 0..if paths.is_empty() { 0 } else { 3 } {
            let path = public.join(self.chance.one_of(&paths));
            let how = self.chance.below(5);
            self.log(format!("tamper ({how}) with {}", path.display()));
            match how {
                0 => drop(fs::remove_file(path)),
                1 => fs::write(path, "something else").unwrap(),
                2 => fs::write(path.with_file_name(".x.html.draft"), "half").unwrap(),
                3 => fs::write(path.with_file_name("9.html"), "a page that is none").unwrap(),
                _ => drop(fs::write(self.site.path(".nejiboard/cache"), "torn")),
            }
        }
        self.reopen();
    }

    fn lose_public(&mut self) {
        self.log("public/ is removed while the program runs");
        let _ = fs::remove_dir_all(self.site.path("public"));
    }

    fn add_board(&mut self) {
        let board = *self.chance.one_of(&BOARDS);
        self.log(format!("add board {board}"));
        let per_page = 1 + self.chance.below(3);
        self.site.write(&format!("content/{board}/board.yaml"), format!("threads_per_page: {per_page}\n"));
        self.told.settings = true;
        self.new_thread();
    }

    fn remove_board(&mut self) {
        let boards = self.boards();
        let Some(board) = (!boards.is_empty()).then(|| *self.chance.one_of(&boards)) else { return };
        self.log(format!("remove board {board}"));
        fs::remove_dir_all(self.site.path("content").join(board)).unwrap();
        self.told.settings = true;
    }

    /// The look of all pages changes, and with it the name of an asset.
    fn theme(&mut self) {
        let look = self.chance.below(4);
        self.log(format!("theme {look}"));
        self.site.write("themes/default/partials/boardhead.hbs", format!("<h1>{{{{board.title}}}} {look}</h1>\n"));
        self.site.write("themes/default/assets/style.css", format!("p {{ margin: {look}px }}"));
        self.told.settings = true;
    }

    /// A mistake in the settings leaves everything as it is, until it is put right.
    fn bad_settings(&mut self) {
        let good = self.site.read("content/site.yaml");
        self.site.write("content/site.yaml", "titel: a misspelt setting\n");
        self.log("bad settings, for a while");
        assert!(self.builder().reload(&mut Report::default()).is_err());
        self.site.write("content/site.yaml", good);
    }

    fn lengthen(&mut self) {
        let Some(key) = self.any_thread() else { return self.new_thread() };
        let mut thread = self.read(&key).unwrap();
        let mut no = self.highest(key.board.as_str());
        let wanted = TAIL_FROM as usize - 1 + self.chance.below(4);
        while thread.posts.len() <= wanted {
            no += 1;
            let far = no.saturating_sub(self.chance.below(120) as u64).max(1);
            let body = format!("more {no}\n>>{far}\n>>{}", key.no);
            thread.posts.push(Post { at: self.next_time(), body, ..Post::new(number(no)) });
        }
        self.log(format!("{}/{} has {} replies now", key.board, key.no, thread.posts.len() - 1));
        self.write(&key, &thread_file::write(&thread));
    }

    fn shorten(&mut self) {
        let long = self.threads().into_iter().filter(|key| 60 < self.read(key).unwrap().posts.len());
        let long: Vec<ThreadKey> = long.collect();
        let Some(key) = (!long.is_empty()).then(|| self.chance.one_of(&long).clone()) else { return };
        let mut thread = self.read(&key).unwrap();
        let left = TAIL_FROM as usize - self.chance.below(3);
        match self.chance.of(2, 3) {
            true => thread.posts.truncate(left),
            false => {
                for post in &mut thread.posts[TAIL_POSTS - 1 + self.chance.below(3)..] {
                    *post = Post { deleted: true, at: post.at, ..Post::new(post.no) };
                }
            }
        }
        self.log(format!("{}/{} has {} posts left", key.board, key.no, thread.posts.len()));
        self.write(&key, &thread_file::write(&thread));
    }

    /// More changes at once than are merged one by one.
    fn burst(&mut self) {
        let boards = self.boards();
        let Some(board) = (!boards.is_empty()).then(|| *self.chance.one_of(&boards)) else { return };
        self.log(format!("70 threads on {board}"));
        let mut no = self.highest(board) + self.chance.below(4_980) as u64;
        for _ in 0..70 {
            no += 1;
            let body = format!("burst\n>>{}\n>>>/b/{}", no + 1, no - 1);
            let mut post = Post { at: self.next_time(), body, ..Post::new(number(no)) };
            post.deleted = self.chance.of(1, 10);
            let mut posts = vec![post];
            if self.chance.of(1, 4) {
                no += 1;
                posts.push(Post { at: self.next_time(), body: format!(">>{}", no + 3), ..Post::new(number(no)) });
            }
            let flags =
                ThreadFlags { sticky: self.chance.of(1, 30), archived: self.chance.of(1, 5), ..Default::default() };
            let thread = Thread { flags, changed: None, posts };
            self.write(&thread_key(board, thread.no()), &thread_file::write(&thread));
        }
    }
}
