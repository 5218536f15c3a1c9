//! Watches the sources of a guest for changes.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::{sync::mpsc, time::timeout};

use crate::build::Target;

/// Time without events that ends a change: editors save in several steps, and a checkout changes many
/// files.
const SETTLE_TIME: Duration = Duration::from_millis(150);

/// Folders of a package that are watched with all that is in them.
const SOURCE_FOLDERS: [&str; 3] = ["src", "examples", "wit"];

/// Watches the sources of a guest.
pub(super) struct Watch {
    watcher: RecommendedWatcher,
    events: mpsc::UnboundedReceiver<Event>,
    /// Folders that are watched recursively.
    recursive: BTreeSet<PathBuf>,
    /// Folders that are watched without those in them.
    flat: BTreeSet<PathBuf>,
    sources: BTreeSet<PathBuf>,
}

impl Watch {
    pub(super) fn new(target: &Target) -> notify::Result<Self> {
        let (sender, events) = mpsc::unbounded_channel();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            // An error is an event that was missed; the next event suffices.
            if let Ok(event) = event {
                let _ = sender.send(event);
            }
        })?;
        let root = target.path.canonicalize().map_err(notify::Error::io)?;
        watcher.watch(&root, RecursiveMode::NonRecursive)?;
        let mut recursive = BTreeSet::new();
        for folder in SOURCE_FOLDERS.map(|folder| root.join(folder)) {
            if folder.is_dir() {
                watcher.watch(&folder, RecursiveMode::Recursive)?;
                recursive.insert(folder);
            }
        }
        let flat = BTreeSet::from([root]);
        Ok(Self { watcher, events, recursive, flat, sources: BTreeSet::new() })
    }

    /// Watches the files that the last build has read, in other packages and other languages too.
    pub(super) fn follow(&mut self, sources: &[PathBuf]) {
        self.sources = sources.iter().filter_map(|file| file.canonicalize().ok()).collect();
        for folder in self.sources.iter().filter_map(|file| file.parent()) {
            let known = self.flat.contains(folder)
                || folder.ancestors().any(|above| self.recursive.contains(above));
            if !known && self.watcher.watch(folder, RecursiveMode::NonRecursive).is_ok() {
                self.flat.insert(folder.to_owned());
            }
        }
    }

    /// Waits for a change, and for its end.
    pub(super) async fn changed(&mut self) {
        loop {
            match self.events.recv().await {
                Some(event) if self.is_change(&event) => break,
                Some(_) => {}
                // Unreachable: the sender belongs to the watcher in `self`.
                None => std::future::pending().await,
            }
        }
        while let Ok(Some(_)) = timeout(SETTLE_TIME, self.events.recv()).await {}
    }

    fn is_change(&self, event: &Event) -> bool {
        !event.kind.is_access() && event.paths.iter().any(|path| self.is_source(path))
    }

    fn is_source(&self, path: &Path) -> bool {
        let by_kind = path.extension().is_some_and(|extension| {
            extension == "rs" || extension == "toml" || extension == "wit"
        });
        by_kind || self.sources.contains(path)
    }
}
