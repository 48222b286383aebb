//! A topic as its file has it.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::Value;

use crate::store::import::json_fault;
use crate::store::import::loose::Loose;

/// What a file holds.
#[derive(Default)]
pub struct RawTopic {
    pub id: Loose,
    pub title: Loose,
    pub slug: Loose,
    pub archetype: Loose,
    pub closed: Loose,
    pub archived: Loose,
    pub pinned: Loose,
    pub pinned_globally: Loose,
    pub category_id: Loose,
    pub tags: Value,
    /// The posts, in the order of the file; `None` if it is sound but no topic.
    pub posts: Option<Vec<RawPost>>,
    /// The ids of all posts of the topic.
    pub stream: Vec<i64>,
    /// What is wrong with the file, as far as it could be read: message, line, column.
    pub fault: Option<(String, usize, usize)>,
}

/// A post as it stands in a file.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct RawPost {
    pub id: Loose,
    pub topic_id: Loose,
    pub topic_slug: Loose,
    pub post_number: Loose,
    pub post_type: Loose,
    pub created_at: Loose,
    pub username: Loose,
    pub name: Loose,
    pub cooked: Loose,
    pub raw: Loose,
    pub reply_to_post_number: Loose,
    pub deleted_at: Loose,
    pub user_deleted: Loose,
    pub hidden: Loose,
    pub moderator: Loose,
    pub admin: Loose,
    pub accepted_answer: Loose,
    pub polls: Loose,
    pub actions_summary: Value,
}

impl RawPost {
    /// Its place in its topic, counted from 1.
    pub fn place(&self) -> Option<u32> {
        u32::try_from(self.post_number.whole()?).ok().filter(|place| 0 < *place)
    }

    /// How many liked it.
    pub fn likes(&self) -> u64 {
        /// The number of this among the things that one can do to a post.
        const LIKE: u64 = 2;
        let summaries = self.actions_summary.as_array().map(Vec::as_slice).unwrap_or_default();
        let like = summaries.iter().find(|summary| summary["id"].as_u64() == Some(LIKE));
        like.and_then(|summary| summary["count"].as_u64()).unwrap_or(0)
    }
}

impl RawTopic {
    /// Reads the text of a file. Of one that is broken or cut off, the posts before that place are there.
    pub fn parse(text: &str) -> RawTopic {
        let mut topic = RawTopic::default();
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let read = match text.trim_ascii_start().as_bytes().first() {
            Some(b'{') => Topic(&mut topic).deserialize(&mut deserializer),
            _ => IgnoredAny::deserialize(&mut deserializer).map(drop),
        };
        if let Err(error) = read.and_then(|()| deserializer.end()) {
            topic.fault = Some(json_fault(&error));
        }
        topic
    }

    /// The number of the topic. A file that is cut off may tell it with its posts alone.
    pub fn number(&self) -> Option<u64> {
        let of_post = || self.posts.iter().flatten().find_map(|post| post.topic_id.whole());
        u64::try_from(self.id.whole().or_else(of_post)?).ok().filter(|id| 0 < *id)
    }

    /// The short name in its address; empty if there is none.
    pub fn slug(&self) -> &str {
        let of_post = || self.posts.iter().flatten().map(|post| post.topic_slug.text()).find(|slug| !slug.is_empty());
        match self.slug.text() {
            "" => of_post().unwrap_or_default(),
            slug => slug,
        }
    }

    /// The names of its tags.
    pub fn tags(&self) -> Vec<&str> {
        let tags = self.tags.as_array().map(Vec::as_slice).unwrap_or_default();
        tags.iter().filter_map(|tag| tag.as_str().or_else(|| tag["name"].as_str())).collect()
    }
}

/// A file, whose posts are put down one by one.
struct Topic<'a>(&'a mut RawTopic);

impl<'de> DeserializeSeed<'de> for Topic<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Topic<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a topic")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let topic = self.0;
        while let Some(name) = fields.next_key::<std::borrow::Cow<'de, str>>()? {
            let field = match name.as_ref() {
                "post_stream" => {
                    fields.next_value_seed(Stream(topic))?;
                    continue;
                }
                "tags" => {
                    topic.tags = fields.next_value()?;
                    continue;
                }
                "id" => &mut topic.id,
                "title" => &mut topic.title,
                "slug" => &mut topic.slug,
                "archetype" => &mut topic.archetype,
                "closed" => &mut topic.closed,
                "archived" => &mut topic.archived,
                "pinned" => &mut topic.pinned,
                "pinned_globally" => &mut topic.pinned_globally,
                "category_id" => &mut topic.category_id,
                _ => {
                    fields.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *field = fields.next_value()?;
        }
        Ok(())
    }
}

/// What is in `post_stream`.
struct Stream<'a>(&'a mut RawTopic);

impl<'de> DeserializeSeed<'de> for Stream<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Stream<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the posts of a topic")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        while let Some(name) = fields.next_key::<std::borrow::Cow<'de, str>>()? {
            match name.as_ref() {
                "posts" => fields.next_value_seed(Posts(self.0.posts.get_or_insert_default()))?,
                "stream" => self.0.stream = fields.next_value()?,
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

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }
}
