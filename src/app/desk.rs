//! What the door asks of the program, and the committer that makes posts durable together.
//!
//! Posts that wait while the disk is busy share the next inbox file and its one fsync. A post is answered only after
//! that; then it waits, for a bounded time, to be told its number.

use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, RwLock};
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tracing::{error, warn};

use super::builder::{self, Shown};
use super::clock;
use super::condition::Vitals;
use super::error::chain;
use super::events::{Batch, Event, Events, Mine, Waiting};
use super::faults;
use super::guard::{Guard, Held};
use super::office::Office;
use super::pulse::{Part, Stuck};
use super::staff::Staff;
use super::started::Started;
use super::trip_keys::Signer;
use crate::disk;
use crate::intake::tripcode::Secret;
use crate::intake::{Accepting, Backend, Consulting, Patience, ThreadState};
use crate::metrics::{Metrics, Place};
use crate::model::lines::{FAR, Lines, VERY_FAR};
use crate::model::staff::{Answering, StaffRequest};
use crate::model::{
    Arrival, BoardSettings, BoardSlug, Effort, ErrorView, PageKey, PostId, PostNo, ReaderRequest, Receipt, Refusal,
    Site, SiteSettings, Submission, ThreadKey, Trouble, Verdict,
};
use crate::render::Pen;
use crate::store::inbox::Inbox;
use crate::store::site_dir::SiteDir;

/// Posts that can wait to be made durable.
const QUEUE_MAX: usize = 4_096;

/// Posts that share one inbox file at most.
const BATCH_MAX: usize = 1_024;

/// How long a poster waits for the page; after that the post is only known to be safe.
const VISIBLE_WITHIN: Duration = Duration::from_secs(2);

/// A part that does not get on for so long is told to be in trouble.
const STUCK_AFTER: Duration = Duration::from_secs(10);

/// Seconds after which a client may try again when the queue is full.
const BUSY_SECONDS: u32 = 2;

/// The door's view of the program.
pub struct Desk {
    shown: Arc<RwLock<Shown>>,
    office: Office,
    staff: Arc<Staff>,
    signer: Arc<Signer>,
    guard: Guard,
    started: Started,
    queue: mpsc::Sender<Order>,
    events: Events,
    vitals: Vitals,
}

/// What the desk is given.
pub struct Means {
    /// The site as it is shown.
    pub shown: Arc<RwLock<Shown>>,
    /// The site's folders.
    pub dir: SiteDir,
    /// What signs names.
    pub secret: Secret,
    /// Where posts are made durable.
    pub inbox: Inbox,
    /// Which of its files come to the builder as events.
    pub mine: Mine,
    /// The way to the builder.
    pub events: Events,
    /// What is told of all this.
    pub vitals: Vitals,
}

/// A submission, and whom to tell.
struct Order {
    submission: Submission,
    patience: Patience,
    answer: oneshot::Sender<Answer>,
}

/// What a poster hears, and on the way to one of a batch, what the others are to hear.
struct Answer {
    outcome: Outcome,
    others: Others,
}

/// Answers of a batch that are not given yet. Whoever drops this gives them.
///
/// The committer wakes one poster, who wakes the others. To wake a task from a thread that is none of its runtime's
/// takes two system calls and a switch of threads, and among posters it takes none: many posts at once would have the
/// committer do little else.
#[derive(Default)]
struct Others(Vec<(oneshot::Sender<Answer>, Outcome)>);

impl Drop for Others {
    fn drop(&mut self) {
        for (answer, outcome) in self.0.drain(..) {
            // A client that has left need not be told.
            let _ = answer.send(Answer { outcome, others: Others::default() });
        }
    }
}

impl Others {
    /// Gives all answers, by way of the first poster who is still there.
    fn give(mut self) {
        while let Some((first, outcome)) = self.0.pop() {
            match first.send(Answer { outcome, others: self }) {
                Ok(()) => return,
                Err(left) => self = left.others,
            }
        }
    }
}

/// What became of a post in the committer's hands: it is safe, with more to be told if the poster waits, or refused.
type Outcome = Result<Option<Told>, Refusal>;

/// Where a poster hears what became of a post that is durable.
type Told = oneshot::Receiver<Result<Receipt, Refusal>>;

impl Desk {
    /// Opens the desk, and starts the committer, which ends when the desk is dropped.
    pub fn open(means: Means) -> std::io::Result<(Desk, std::thread::JoinHandle<()>)> {
        let Means { shown, dir, secret, inbox, mine, events, vitals } = means;
        let (queue, orders) = mpsc::channel(QUEUE_MAX);
        let signer = Arc::new(Signer::new(&dir, secret.clone()));
        let staff = Arc::new(Staff::new(dir.clone(), shown.clone(), secret.clone(), inbox.clone(), signer.clone()));
        let office = Office::new(dir.clone(), shown.clone(), secret, inbox.clone());
        let guard = Guard::new(&dir, shown.clone(), office.clone(), vitals.clone());
        let committer =
            Committer { orders, inbox, mine, events: events.clone(), vitals: vitals.clone(), office: office.clone() };

        let desk = Desk { shown, office, staff, signer, guard, started: Started::default(), queue, events, vitals };
        let thread = std::thread::Builder::new().name("committer".to_owned()).spawn(move || committer.run())?;
        Ok((desk, thread))
    }
}

impl Backend for Desk {
    fn site(&self) -> Arc<SiteSettings> {
        builder::read(&self.shown).site.settings.clone()
    }

    fn board(&self, slug: &BoardSlug) -> Option<Arc<BoardSettings>> {
        faults::strike("request");
        builder::read(&self.shown).site.board(slug).map(|board| board.settings.clone())
    }

    fn thread(&self, board: &BoardSlug, no: PostNo) -> ThreadState {
        let shown = builder::read(&self.shown);
        let Some(board) = shown.site.board(board) else { return ThreadState::Missing };
        // Whoever answers may still have the page of a thread before them that was moved: the post follows it.
        let moved = shown.site.forward(board, no).and_then(|to| Some((shown.site.board(to.board)?, to.thread)));
        let (board, no) = moved.unwrap_or((board, no));
        if let Some(summary) = board.visible(no) {
            let limit = board.settings.reply_limit;
            return match summary.flags.closed() {
                true => ThreadState::Closed,
                false if limit != 0 && limit <= summary.replies as usize && !summary.flags.cyclic => ThreadState::Full,
                false => ThreadState::Open,
            };
        }
        match board.thread_of(no).filter(|thread| board.visible(*thread).is_some()) {
            Some(thread) => ThreadState::ReplyOf(thread),
            None => ThreadState::Missing,
        }
    }

    fn lines(&self, board: &BoardSlug, no: PostNo) -> Vec<PostNo> {
        builder::read(&self.shown).site.board(board).map(|board| board.lines(no, VERY_FAR)).unwrap_or_default()
    }

    fn reading(&self, board: &BoardSlug, no: PostNo, lines: Lines) -> Option<String> {
        let shown = builder::read(&self.shown);
        let on = shown.site.board(board)?;
        let post = match lines {
            Lines::From(line) => {
                let before = line.checked_sub(1).and_then(|before| usize::try_from(before).ok());
                before.and_then(|before| on.lines(no, FAR).get(before).copied())
            }
            Lines::All | Lines::Last => None,
        };
        let page = |board: &BoardSlug, thread: PostNo, post: Option<PostNo>| {
            let anchor = post.map(|post| format!("#p{post}")).unwrap_or_default();
            PageKey::Thread(board.clone(), thread).path() + &anchor
        };
        match on.visible(no) {
            Some(summary) if lines == Lines::Last && summary.has_tail() => {
                Some(PageKey::Tail(board.clone(), no).path())
            }
            Some(_) => Some(page(board, no, post)),
            None => {
                // It may have been moved.
                on.thread(no)?;
                let there = shown.site.standing(board, post.unwrap_or(no))?;
                Some(page(there.board, there.thread, post.map(|_| there.no)))
            }
        }
    }

    fn start_thread(&self, board: &BoardSlug, id: &PostId) -> Result<(), Refusal> {
        let shown = builder::read(&self.shown);
        let board = shown.site.board(board).ok_or(Refusal::NoSuchBoard)?;
        self.started.note(board, id, clock::now().timestamp())
    }

    fn sign(&self, typed_name: &str) -> (String, String) {
        let signed = self.signer.sign(typed_name);
        (signed.name, signed.trip)
    }

    fn admit(&self, board: &BoardSlug, address: IpAddr) -> Result<(), Refusal> {
        self.guard.admit_post(address)?;
        self.office.admit(board, address)
    }

    fn screen(&self, submission: &mut Submission, effort: Effort<'_>) -> Result<Verdict, Refusal> {
        self.guard.screen(submission, effort)
    }

    fn consult(&self, address: IpAddr) -> Option<Consulting> {
        self.guard.consult(address)
    }

    fn note_refusal(&self, address: IpAddr, refusal: &Refusal) {
        self.guard.note_refusal(address, refusal);
    }

    fn attend(&self, board: BoardSlug, no: PostNo, request: ReaderRequest, address: IpAddr) -> Accepting {
        let admitted = self.guard.admit_request(address);
        let place = {
            let shown = builder::read(&self.shown);
            let standing = |site: &Site| {
                site.board(&board).ok_or(Refusal::NoSuchBoard)?;
                let there = site.standing(&board, no).ok_or(Refusal::NoSuchPost)?;
                Ok((ThreadKey { board: there.board.clone(), no: there.thread }, there.no))
            };
            standing(&shown.site)
        };
        let (office, shown) = (self.office.clone(), self.shown.clone());
        Box::pin(async move {
            admitted?;
            let (key, no) = place?;
            office.attend(key.clone(), no, request).await?;
            let board = key.board;
            let there = builder::read(&shown).site.board(&board).is_some_and(|board| board.visible(key.no).is_some());
            Ok(Receipt::Done { board, thread: there.then_some(key.no) })
        })
    }

    fn new_id(&self) -> PostId {
        PostId::parse(&clock::ulid()).expect("a ULID is 26 letters and digits")
    }

    fn accept(&self, submission: Submission, patience: Patience) -> Accepting {
        enqueue(&self.queue, submission, patience)
    }

    fn hold(&self, submission: Submission, verdict: Verdict, patience: Patience) -> Accepting {
        let (queue, held) = (self.queue.clone(), self.guard.hold(submission, verdict));
        Box::pin(async move {
            match held.await? {
                Held::Kept { board, thread } => Ok(Receipt::Held { board, thread }),
                Held::Known(submission) => enqueue(&queue, submission, patience).await,
            }
        })
    }

    fn theme_version(&self) -> u64 {
        builder::read(&self.shown).theme.hash()
    }

    fn staff(&self, request: StaffRequest) -> Answering {
        Box::pin(self.staff.clone().answer(request))
    }

    fn page(&self, view: &ErrorView) -> String {
        let shown = builder::read(&self.shown);
        let pen = Pen { site: &shown.site, theme: &shown.theme, read: &|_| Err(String::new()), previews: None };
        pen.answer(view).unwrap_or_else(|bad| {
            error!(error = %chain(&bad), "cannot draw an answer");
            PLAIN_FAULT.to_owned()
        })
    }

    fn sentence(&self, refusal: &Refusal) -> String {
        builder::read(&self.shown).theme.sentence(refusal)
    }

    fn asset(&self, name: &str) -> Option<String> {
        builder::read(&self.shown).theme.href(name).map(str::to_owned)
    }

    fn held_sentence(&self) -> String {
        builder::read(&self.shown).theme.held_sentence()
    }

    fn metrics(&self) -> &Arc<Metrics> {
        &self.vitals.metrics
    }

    fn troubles(&self) -> Vec<Trouble> {
        let mut troubles = self.vitals.condition.troubles();
        if self.events.is_full() {
            let text = "so many posts wait to be built that no more are taken".to_owned();
            troubles.push(Trouble { part: "queue", text });
        }
        if let Some(Stuck { part, time }) = self.vitals.pulses.stuck(STUCK_AFTER)
            && troubles.iter().all(|trouble| trouble.part != part.name())
        {
            let text = format!("the {} has not got on for {} seconds", part.name(), time.as_secs());
            troubles.push(Trouble { part: part.name(), text });
        }
        troubles
    }

    fn now(&self) -> SystemTime {
        clock::system()
    }
}

/// Hands a post to the committer, and waits for what becomes of it.
fn enqueue(queue: &mpsc::Sender<Order>, submission: Submission, patience: Patience) -> Accepting {
    let (answer, durable) = oneshot::channel();
    let (board, thread) = (submission.board.clone(), submission.thread);
    let sent = queue.try_send(Order { submission, patience, answer });
    Box::pin(async move {
        match sent {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => return Err(Refusal::Busy(BUSY_SECONDS)),
            Err(TrySendError::Closed(_)) => return Err(Refusal::NotStored),
        }
        let outcome = match durable.await {
            Ok(Answer { outcome, others }) => {
                drop(others);
                outcome
            }
            Err(_) => Err(Refusal::NotStored),
        };
        let Some(visible) = outcome? else {
            return Ok(Receipt::Safe { board, thread });
        };
        match tokio::time::timeout(VISIBLE_WITHIN, visible).await {
            Ok(Ok(outcome)) => outcome,
            // The builder is late, or has lost track of it: the post is in the inbox all the same.
            _ => Ok(Receipt::Safe { board, thread }),
        }
    })
}

/// What a visitor sees if even the page that tells of a fault cannot be drawn.
const PLAIN_FAULT: &str = "<!DOCTYPE html><html lang=\"en\"><title>Fault</title><p>Something went wrong on our side.";

struct Committer {
    orders: mpsc::Receiver<Order>,
    inbox: Inbox,
    mine: Mine,
    events: Events,
    vitals: Vitals,
    office: Office,
}

impl Committer {
    fn run(mut self) {
        loop {
            self.vitals.pulses.rest(Part::Committer);
            let Some(first) = self.orders.blocking_recv() else { return };
            self.vitals.pulses.beat(Part::Committer);
            let mut batch = vec![first];
            while batch.len() < BATCH_MAX
                && let Ok(order) = self.orders.try_recv()
            {
                batch.push(order);
            }
            // A panic costs this batch: those who wait are told that their posts were not stored.
            if catch_unwind(AssertUnwindSafe(|| self.commit(batch))).is_err() {
                error!("storing posts panicked; going on with the next ones");
                self.vitals.metrics.panicked(Place::Committer);
            }
        }
    }

    /// Makes a batch durable and hands it to the builder.
    fn commit(&self, batch: Vec<Order>) {
        faults::strike("committer");
        if self.events.is_full() {
            let refuse = |order: Order| (order.answer, Err(Refusal::Busy(BUSY_SECONDS)));
            Others(batch.into_iter().map(refuse).collect()).give();
            return;
        }
        let at = clock::now();
        self.office.note_senders(batch.iter().map(|order| &order.submission), at);
        let (arrivals, answers): (Vec<Arrival>, Vec<_>) = batch
            .into_iter()
            .map(|order| (self.office.arrival(order.submission, at), (order.patience, order.answer)))
            .unzip();
        let name = format!("{}.md", clock::ulid());
        // Before the file is there: the builder must not find it by itself and take it for a dropped one.
        self.mine.add(&name);
        if let Err(error) = self.inbox.put(&name, &arrivals) {
            warn!(error = %chain(&error), "cannot store posts");
            self.vitals.condition.note("inbox", Some(format!("posts cannot be stored: {}", chain(&error))));
            // The rename may have been done and only its fsync failed: then the file must go, for its posts are refused.
            let _ = self.inbox.remove(&name);
            self.mine.remove(&name);
            Others(answers.into_iter().map(|(_, answer)| (answer, Err(Refusal::NotStored))).collect()).give();
            return;
        }
        disk::point("posts accepted, the builder not told");
        self.vitals.condition.note("inbox", None);
        self.vitals.metrics.posts_accepted.inc_by(arrivals.len() as u64);
        let mut waiting = Vec::with_capacity(arrivals.len());
        let mut safe = Vec::with_capacity(arrivals.len());
        for (arrival, (patience, answer)) in arrivals.iter().zip(answers) {
            // A client that has left does not wait.
            if answer.is_closed() {
                continue;
            }
            let told = (patience == Patience::UntilVisible).then(|| {
                let (tell, told) = oneshot::channel();
                waiting.push(Waiting { id: arrival.id.clone(), tell });
                told
            });
            safe.push((answer, Ok(told)));
        }
        Others(safe).give();
        self.events.send(Event::Accepted(Batch { name, arrivals, waiting }));
    }
}
