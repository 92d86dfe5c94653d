//! What a read holds in memory: little, however large the answers are and however slowly its output is read.
//!
//! The allocator counts the bytes. In process, so that nothing but the read is counted, and over a transport in memory that
//! makes each answer when it is asked for.

mod common;

use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use common::{ORG, TOKEN, catalog};
use peak_alloc::PeakAlloc;
use source_devin_ai::airbyte::{ConfiguredCatalog, InputState, Level};
use source_devin_ai::config::Config;
use source_devin_ai::devin::retry::Policy;
use source_devin_ai::devin::transport::{Answering, HttpRequest, HttpResponse, Transport};
use source_devin_ai::devin::{Client, Settings};
use source_devin_ai::output::Output;
use source_devin_ai::source::context::Context;
use source_devin_ai::source::emit::{Emitter, Format};
use source_devin_ai::source::plan::plan;
use source_devin_ai::source::read::{Ending, read};

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

const MIB: usize = 1 << 20;

/// An organization whose sessions have two pages of messages each, with one message of so many bytes a page.
#[derive(Debug)]
struct Large {
    sessions: usize,
    message: usize,
    asked: AtomicUsize,
}

impl Transport for Large {
    fn send(&self, request: HttpRequest) -> Answering<'_> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            tokio::task::yield_now().await;
            let body = if request.target.contains("/messages") {
                self.messages(request.target.contains("after="))
            } else {
                self.list()
            };
            Ok(HttpResponse { status: 200, body, ..HttpResponse::default() })
        })
    }
}

impl Large {
    fn list(&self) -> Vec<u8> {
        let session = |n| {
            format!(r#"{{"session_id":"{n:032x}","created_at":1700000000,"updated_at":1700000000,"status":"exit"}}"#)
        };
        let sessions: Vec<String> = (0..self.sessions).map(session).collect();
        format!(r#"{{"items":[{}],"has_next_page":false}}"#, sessions.join(",")).into_bytes()
    }

    fn messages(&self, is_second: bool) -> Vec<u8> {
        let id = if is_second { "second" } else { "first" };
        let mut body = Vec::with_capacity(self.message + 200);
        body.extend(format!(r#"{{"has_next_page":{},"end_cursor":"{id}","items":["#, !is_second).bytes());
        body.extend(format!(r#"{{"event_id":"{id}","created_at":1700000000,"message":""#).bytes());
        body.resize(body.len() + self.message, b'm');
        body.extend(br#""}]}"#);
        body
    }
}

/// An output that stands still until it is let go, and counts the lines that have come.
#[derive(Clone, Default)]
struct Stalled(Arc<(Mutex<bool>, Condvar, AtomicUsize)>);

impl Stalled {
    fn let_go(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    fn lines(&self) -> usize {
        self.0.2.load(Ordering::Relaxed)
    }
}

impl Write for Stalled {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (is_let_go, changed, lines) = &*self.0;
        drop(changed.wait_while(is_let_go.lock().unwrap(), |is_let_go| !*is_let_go).unwrap());
        lines.fetch_add(bytes.iter().filter(|byte| **byte == b'\n').count(), Ordering::Relaxed);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads the messages while nobody takes what is read, for a virtual hour; then everything is taken. Answers with the most
/// that was allocated in that hour, how the read has ended, how many requests it made and how many lines it wrote.
fn read_before_a_stalled_reader(sessions: usize, message: usize) -> (usize, Ending, usize, usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let (large, reader) = (Arc::new(Large { sessions, message, asked: AtomicUsize::new(0) }), Stalled::default());
        let config = Config { concurrency: sessions, ..Config::of_sandbox(TOKEN, ORG, "http://127.0.0.1:9") };
        let settings = Settings {
            api_url: config.api_url.clone(),
            token: config.token.clone(),
            policy: Policy::patient(),
            concurrency: config.concurrency,
        };
        let output = Output::to(Box::new(reader.clone()));
        let emitter = Emitter::new(output.clone(), Format::Airbyte, Level::Warn);
        let context = Arc::new(Context::new(Client::over(large.clone(), settings), emitter, &config));
        let catalog = ConfiguredCatalog::parse(&catalog(&[("session_messages", "full_refresh")])).unwrap();
        let plan = plan(&config, &catalog, &InputState::parse("[]").unwrap(), 1_700_000_000);
        let before = ALLOCATED.current_usage();
        ALLOCATED.reset_peak_usage();
        let mut reading = Box::pin(read(&context, plan, std::future::pending()));
        // Time passes only when nothing else is left to do.
        let hour = tokio::time::timeout(Duration::from_secs(3600), &mut reading).await;
        assert!(hour.is_err(), "nothing can be over before anything has been taken");
        let most = ALLOCATED.peak_usage() - before;
        reader.let_go();
        let ending = reading.await;
        output.finish(None).unwrap();
        (most, ending, large.asked.load(Ordering::Relaxed), reader.lines())
    })
}

/// Pages of one size, then pages of another: in one test, because what is allocated is counted for all of them together.
#[test]
fn what_is_read_ahead_of_a_stalled_reader_fits_into_a_budget() {
    // What is held, the lines of one page that wait to be written, and an answer that is about to be let go.
    for (sessions, message, most_held) in
        [(12, 4 * MIB, (64 + 4 + 4 + 1) * MIB), (2, 33 * MIB, (33 + 33 + 33 + 1) * MIB)]
    {
        let (pages, least_requests) = (2 * sessions, 2 * sessions + 1);
        let (held, ending, requests, lines) = read_before_a_stalled_reader(sessions, message);
        println!("{} MiB: held {} KiB, {requests} requests, {lines} lines", message / MIB, held >> 10);
        assert!(held <= most_held, "{} MiB are held for pages of {} MiB", held / MIB, message / MIB);
        assert_eq!(ending, Ending::Complete);
        assert!(lines > pages, "{lines} lines for {pages} messages");
        assert!(requests <= 2 * least_requests, "{requests} requests for {least_requests} pages");
    }
}
