//! Pages of lists. A cursor travels through the client: it is sealed, and valid for one list only.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::features::list::{Page, PageRequest};
use crate::handler::params;
use crate::handler::result::Failure;
use crate::seal;

/// How long a cursor is good for, in seconds.
const LIFETIME: u64 = 3600;

/// Where a page starts, in which list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cursor {
    start: u64,
    /// Of the names of all items: a server that has changed since has other pages.
    list: u64,
}

impl Cursor {
    fn to_bytes(self) -> Vec<u8> {
        [self.start.to_be_bytes(), self.list.to_be_bytes()].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (start, list) = bytes.split_first_chunk()?;
        let (start, list) = (u64::from_be_bytes(*start), u64::from_be_bytes(list.try_into().ok()?));
        Some(Self { start, list })
    }
}

/// The page that a request asks for.
pub(crate) fn paginate(page: &PageRequest<'_>) -> Result<Page, Failure> {
    let count = page.names.len();
    let list = fingerprint(&page.names);
    let sealing = &page.request.sealing;
    let principal = sealing.principal(&page.request.headers);
    let purpose: [&[u8]; 4] =
        [b"cursor", sealing.server.as_bytes(), &principal, page.list.member().as_bytes()];
    let start = match &page.cursor {
        None => 0,
        Some(token) => {
            let keys = sealing.keys().map_err(Failure::internal)?;
            let opened = keys.open(&purpose, seal::now(), token);
            let opened = opened.map_err(|why| refuse(&why.to_string()))?;
            let cursor = Cursor::from_bytes(&opened).filter(|cursor| cursor.list == list);
            let start = cursor.and_then(|cursor| usize::try_from(cursor.start).ok());
            start.filter(|start| *start < count).ok_or_else(|| refuse("the list has changed"))?
        }
    };
    let end = start.saturating_add(page.size).min(count);
    let next = (end < count).then(|| {
        let content = Cursor { start: end as u64, list }.to_bytes();
        let keys = sealing.keys().map_err(Failure::internal)?;
        let expires = seal::now().saturating_add(LIFETIME);
        keys.seal(&purpose, expires, &content).map_err(Failure::internal)
    });
    Ok(Page { start, end, next: next.transpose()? })
}

fn refuse(why: &str) -> Failure {
    let error = params::invalid("unknown cursor; list from the start");
    Failure { error, cause: Some(format!("a cursor was refused: {why}")) }
}

fn fingerprint(names: &[&str]) -> u64 {
    let mut hasher = DefaultHasher::new();
    names.hash(&mut hasher);
    hasher.finish()
}
