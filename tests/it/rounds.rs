//! The builder's loop, driven without a door: what it owes to those who wait when something inside it goes wrong.

use std::fs;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use chrono::DateTime;
use nejiboard::app::builder::Builder;
use nejiboard::app::desk::{Desk, Means};
use nejiboard::app::events::{Batch, Event, Events, Mine, Waiting};
use nejiboard::app::rounds::Rounds;
use nejiboard::intake::tripcode::Secret;
use nejiboard::intake::{Accepting, Backend, Patience};
use nejiboard::model::{Arrival, PostId, Receipt, Refusal, Submission};
use nejiboard::store::inbox::Inbox;
use nejiboard::watch::Seen;
use tokio::sync::oneshot;

use super::sandbox::running::wait_until;
use super::sandbox::{Sandbox, files_below, number, slug};

type Answer = oneshot::Receiver<Result<Receipt, Refusal>>;

/// A loop that runs on a site of one thread.
struct Loop {
    site: Sandbox,
    inbox: Inbox,
    events: Events,
    mine: Mine,
    thread: std::thread::JoinHandle<()>,
}

impl Loop {
    fn start() -> Loop {
        let site = Sandbox::new("\n==> content/tech/1.md\n--- {no: 1, at: 2025-03-02}\nfirst\n");
        site.build();
        let (builder, _) = site.open();
        let inbox = Inbox::open(site.path("posts-inbox")).unwrap();
        let (events, heard) = Events::open();
        let mine = Mine::default();
        let rounds = Rounds::new(builder, inbox.clone(), mine.clone(), &events, heard);
        let thread = std::thread::spawn(move || rounds.run());
        Loop { site, inbox, events, mine, thread }
    }

    /// Hands in a reply as the door does. `prepare` sees the way back before the builder does.
    fn post(&self, id: &str, prepare: impl FnOnce(&mut Answer)) -> Answer {
        let (tell, mut told) = oneshot::channel();
        prepare(&mut told);
        let arrival = reply(id);
        let name = format!("{id}.md");
        self.mine.add(&name);
        self.inbox.put(&name, std::slice::from_ref(&arrival)).unwrap();
        let waiting = vec![Waiting { id: arrival.id.clone(), tell }];
        self.events.send(Event::Accepted(Batch { name, arrivals: vec![arrival], waiting }));
        told
    }

    fn stop(self) -> Sandbox {
        self.events.send(Event::Stop);
        self.thread.join().expect("the loop ends in order");
        self.site
    }
}

fn reply(id: &str) -> Arrival {
    Arrival {
        id: PostId::parse(id).unwrap(),
        board: slug("tech"),
        thread: Some(number(1)),
        at: DateTime::from_timestamp(1_800_000_000, 0),
        name: String::new(),
        trip: String::new(),
        poster_id: String::new(),
        capcode: String::new(),
        subject: String::new(),
        sage: false,
        body: format!("body of {id}"),
    }
}

/// Panics in the thread that tells it something.
struct Trap;

impl Wake for Trap {
    fn wake(self: Arc<Trap>) {
        panic!("this panic is part of a test");
    }
}

fn lay_trap(told: &mut Answer) {
    let waker = Waker::from(Arc::new(Trap));
    let polled = Pin::new(told).poll(&mut Context::from_waker(&waker));
    assert!(matches!(polled, Poll::Pending));
}

#[test]
fn a_panic_of_the_builder_loses_no_post_and_does_not_end_it() {
    let running = Loop::start();
    let _trapped = running.post("one", lay_trap);
    // The panic is over when the file goes: a later round has put it away.
    wait_until("the inbox is empty after the panic", || running.inbox.names().unwrap().is_empty());
    let told = running.post("two", |_| {}).blocking_recv();
    assert!(matches!(told, Ok(Ok(Receipt::Visible { no, .. })) if no == number(3)), "{told:?}");
    let site = running.stop();
    let thread = site.read("content/tech/1.md");
    assert_eq!((thread.matches("body of one").count(), thread.matches("body of two").count()), (1, 1), "{thread}");
    let page = site.page("tech/thread/1.html");
    assert!(page.contains("body of one") && page.contains("body of two"), "{page}");
}

#[test]
fn files_that_cannot_be_stored_for_now_do_not_keep_others_from_being_taken() {
    let running = Loop::start();
    // The reply's draft would be written here.
    let obstacle = running.site.path("content/tech/.1.md.draft");
    fs::create_dir(&obstacle).unwrap();
    let drop_file = |name: &str, header: &str, body: &str| {
        running.site.write(&format!("posts-inbox/{name}"), format!("--- {header}\n{body}\n"));
    };
    // More than one round takes.
    for nth in 0..2_100 {
        drop_file(&format!("a{nth}.md"), "{\"board\": \"tech\", \"thread\": 1}", &format!("stuck {nth}."));
    }
    drop_file("z.md", "{\"board\": \"tech\"}", "a new thread");
    let look = || running.events.send(Event::Seen(Seen { everything: true, ..Seen::default() }));
    look();
    wait_until("the new thread is there", || running.site.path("content/tech/2.md").exists());
    fs::remove_dir(&obstacle).unwrap();
    wait_until("the inbox is empty", || running.inbox.names().unwrap().iter().all(|name| name == "rejected"));
    let site = running.stop();
    let thread = site.read("content/tech/1.md");
    assert_eq!(thread.matches("stuck ").count(), 2_100);
}

#[test]
fn when_too_much_waits_for_the_builder_the_next_post_is_told_to_come_back() {
    let long = "x".repeat(8_000);
    for (posts, body, is_busy) in [(19_000, "short", false), (20_000, "short", true), (5_000, &*long, true)] {
        let site = Sandbox::new("\n==> content/tech/1.md\n--- {no: 1, at: 2025-03-02}\nfirst\n");
        let (builder, _) = site.open();
        let inbox = Inbox::open(site.path("posts-inbox")).unwrap();
        // Nobody takes what waits there.
        let (events, heard) = Events::open();
        let (desk, committer) = open_desk(&builder, &inbox, &events);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let post = |id: &str| runtime.block_on(desk.accept(submission(id), Patience::UntilSafe));
        assert!(matches!(post("before"), Ok(Receipt::Safe { .. })));
        let arrivals = vec![Arrival { body: body.to_owned(), ..reply("many") }; posts];
        events.send(Event::Accepted(Batch { name: "many.md".to_owned(), arrivals, waiting: Vec::new() }));
        let outcome = post("after");
        assert_eq!(matches!(outcome, Err(Refusal::Busy(_))), is_busy, "{posts} posts: {outcome:?}");
        assert_eq!(inbox.names().unwrap().len(), 2 - usize::from(is_busy), "nothing is kept of a post that is refused");
        drop((desk, heard));
        committer.join().expect("it ends with the desk");
    }
}

/// The committer tells one poster of a batch, who tells the others.
#[test]
fn clients_that_leave_do_not_take_the_answers_of_others_along() {
    let site = Sandbox::new("\n==> content/tech/1.md\n--- {no: 1, at: 2025-03-02}\nfirst\n");
    let (builder, _) = site.open();
    let inbox = Inbox::open(site.path("posts-inbox")).unwrap();
    let (events, _heard) = Events::open();
    let (desk, committer) = open_desk(&builder, &inbox, &events);
    let stored = || {
        let files = files_below(&site.path("posts-inbox"));
        files.values().map(|bytes| String::from_utf8_lossy(bytes).matches("--- {").count()).sum::<usize>()
    };
    for (round, leaves) in [(1, 0), (2, 1)] {
        let post = |nth| desk.accept(submission(&format!("r{round}p{nth}")), Patience::UntilSafe);
        let mut accepting: Vec<Accepting> = (0..60).map(post).collect();
        accepting.iter_mut().for_each(|one| drop(one.as_mut().poll(&mut Context::from_waker(Waker::noop()))));
        wait_until("all are stored", || stored() == 60 * round);
        let staying: Vec<Accepting> =
            accepting.into_iter().enumerate().filter(|(nth, _)| nth % 2 != leaves).map(|(_, one)| one).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let told: Vec<_> = staying.into_iter().map(tokio::spawn).collect();
            for receipt in told {
                let receipt = receipt.await.unwrap();
                assert!(matches!(receipt, Ok(Receipt::Safe { .. })), "{receipt:?}");
            }
        });
    }
    drop(desk);
    committer.join().expect("it ends with the desk");
}

fn open_desk(builder: &Builder, inbox: &Inbox, events: &Events) -> (Desk, std::thread::JoinHandle<()>) {
    let means = Means {
        dir: builder.dir().clone(),
        shown: builder.shown().clone(),
        secret: Secret::from_bytes([0; 32]),
        inbox: inbox.clone(),
        mine: Mine::default(),
        events: events.clone(),
        vitals: builder.vitals().clone(),
    };
    Desk::open(means).unwrap()
}

fn submission(id: &str) -> Submission {
    let (name, trip, subject) = Default::default();
    let (id, board, thread) = (PostId::parse(id).unwrap(), slug("tech"), Some(number(1)));
    let address = std::net::Ipv4Addr::LOCALHOST.into();
    Submission {
        id,
        board,
        thread,
        name,
        trip,
        subject,
        sage: false,
        body: "text".to_owned(),
        password: String::new(),
        address,
    }
}
