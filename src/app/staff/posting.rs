//! A form of staff to a post under a mark that nobody else can have.

use std::time::Duration;

use super::super::builder;
use super::{Member, Staff};
use crate::disk;
use crate::model::act::Deed;
use crate::model::capcode::Capcode;
use crate::model::role::Right;
use crate::model::staff::{StaffAnswer, StaffRequest};
use crate::model::summary::id_hash;
use crate::model::{BoardSlug, PostId, PostNo, ThreadKey};
use crate::render::staff::Notice;
use crate::store::content;
use crate::store::moderate::posting::file_name;

/// How long somebody waits until the post is on its page.
const SHOWN_WITHIN: Duration = Duration::from_secs(2);

/// How often it is looked whether it is.
const LOOK_EVERY: Duration = Duration::from_millis(10);

impl Staff {
    /// Posts what a form says.
    pub(super) async fn post_as(&self, member: &Member, request: &StaffRequest) -> StaffAnswer {
        let posted = match self.post_of(request) {
            // SECURITY: what is not offered can be sent all the same.
            Ok(deed) if !Right::of(&deed).is_some_and(|right| member.account.role.may(right)) => {
                Err(Notice::NotAllowed)
            }
            Ok(deed) => self.carry_out(&member.account.name, request.field("why"), vec![deed]).await,
            Err(notice) => Err(notice),
        };
        let id = match posted {
            Ok(id) => id,
            Err(notice) => return self.told(Some(member), notice),
        };
        let path = self.inbox.folder().join(file_name(&id));
        // Whoever builds removes it when the post is on its page.
        let gone = tokio::time::timeout(SHOWN_WITHIN, async {
            while path.exists() {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        });
        if gone.await.is_err() {
            return self.told(Some(member), Notice::Waiting);
        }
        let why = self.inbox.folder().join("rejected").join(format!("{}.why", file_name(&id)));
        if let Ok(why) = disk::read(&why) {
            let why = String::from_utf8_lossy(&why).trim().trim_end_matches('.').to_owned();
            return self.told(Some(member), Notice::Refused(why));
        }
        let board = request.field("board");
        let page = match self.place_of(board, request.field("thread"), &id) {
            Some(no) => format!("post/{board}/{no}"),
            None => String::new(),
        };
        StaffAnswer::to(format!("{}{page}?done={}", self.base(), id.as_str()))
    }

    /// The post that a form asks for; the notice says what is wrong with it.
    fn post_of(&self, form: &StaffRequest) -> Result<Deed, Notice> {
        let refused = |why: &str| Notice::Refused(why.to_owned());
        let board = BoardSlug::parse(form.field("board")).map_err(|error| Notice::Refused(error.to_string()))?;
        let thread = match form.field("thread") {
            "" => None,
            text => Some(PostNo::parse(text).ok_or_else(|| refused("the number of the thread is none"))?),
        };
        let capcode = Capcode::parse(form.field("capcode"));
        let capcode = capcode.ok_or_else(|| refused("the marks are `admin`, `mod` and `janitor`"))?;
        let signed = self.signer.sign(form.field("name"));
        let (name, trip, subject) = (signed.name, signed.trip, form.field("subject").trim().to_owned());
        // Browsers send line ends as two characters.
        let body = form.field("text").replace("\r\n", "\n");
        Ok(Deed::Post { board, thread, capcode: Some(capcode), name, trip, subject, sage: false, body })
    }

    /// The number of the post with this id.
    fn place_of(&self, board: &str, thread: &str, id: &PostId) -> Option<PostNo> {
        let board = BoardSlug::parse(board).ok()?;
        let of_op = || builder::read(&self.shown).site.board(&board)?.thread_by_op_id(id_hash(id.as_str()));
        let no = PostNo::parse(thread).or_else(of_op)?;
        let thread = content::read_thread(self.dir.root(), &ThreadKey { board, no }).ok()?;
        thread.posts.iter().find(|post| post.id.as_ref() == Some(id)).map(|post| post.no)
    }
}
