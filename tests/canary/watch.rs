//! Keeps everything that can be seen of the program's life: what is on the disk, and the arguments and
//! environment of processes, looked at every 5 ms.

use std::collections::HashMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// What was seen, each thing once, and where.
#[derive(Clone, Default)]
pub struct Evidence(Arc<Mutex<HashMap<Vec<u8>, String>>>);

impl Evidence {
    pub fn add(&self, place: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.0.lock().unwrap().entry(bytes.into()).or_insert_with(|| place.into());
    }

    /// Everything, with its place.
    pub fn all(&self) -> Vec<(String, Vec<u8>)> {
        self.0.lock().unwrap().iter().map(|(bytes, place)| (place.clone(), bytes.clone())).collect()
    }

    /// Whether a place of this name has shown this text.
    pub fn holds(&self, place: &str, text: &str) -> bool {
        let holds = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        self.all().iter().any(|(at, bytes)| at.contains(place) && holds(bytes))
    }

    /// All files below a directory, as they are now.
    pub fn files(&self, directory: &Path) {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let path = entry.path();
            // A name can give away as much as what is in the file.
            self.add("a file name", path.as_os_str().as_bytes());
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => self.files(&path),
                Ok(_) => self.add(format!("file {}", path.display()), fs::read(&path).unwrap_or_default()),
                Err(_) => {}
            }
        }
    }
}

/// Looks until it is dropped.
pub struct Watch {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Watches a home and every process whose HOME it is.
    pub fn start(home: PathBuf, evidence: Evidence) -> Watch {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                processes(&home, &evidence);
                evidence.files(&home);
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        Watch { stop, thread: Some(thread) }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.thread.take().unwrap().join();
        assert!(ended.is_ok() || std::thread::panicking(), "the watch broke off");
    }
}

fn processes(home: &Path, evidence: &Evidence) {
    let belongs = [b"HOME=", home.as_os_str().as_bytes(), b"\0"].concat();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let process = entry.path();
        let read = |file: &str| fs::read(process.join(file)).unwrap_or_default();
        // In this order: what has these arguments has this environment, or a later one.
        let (arguments, environment) = (read("cmdline"), read("environ"));
        if arguments.is_empty() || !environment.windows(belongs.len()).any(|window| window == belongs) {
            continue;
        }
        let Some(parent) = parent(&read("stat")) else { continue };
        let shown = String::from_utf8_lossy(&arguments).replace('\0', " ");
        evidence.add("the arguments of a process", arguments.clone());
        // What the test has started has the environment that the user gave it. And between fork and exec a
        // child is its parent's picture.
        let picture =
            fs::read(format!("/proc/{parent}/cmdline")).is_ok_and(|of_parent| of_parent == arguments);
        if parent != std::process::id() && !picture {
            evidence.add(format!("the environment of {shown}"), environment);
        }
    }
}

/// The parent's id: the second field after the name, which stands in parentheses.
fn parent(stat: &[u8]) -> Option<u32> {
    let text = String::from_utf8_lossy(stat);
    let (_, fields) = text.rsplit_once(')')?;
    fields.split_whitespace().nth(1)?.parse().ok()
}
