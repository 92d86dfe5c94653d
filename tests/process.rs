//! What surrounds the work: signals in every phase, readers that stand still or are not there, and few files.

mod common;

use std::io::{BufRead as _, BufReader, PipeReader, PipeWriter, Read as _, Write as _};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use common::devin::{Devin, Made, Said, Sessions, state};
use common::events::story;
use common::signals::{again, signal};

use common::{Answer, Api, Program, Ran, Sandboxed, program, wire};

const RUN: &str = "alert-relay run --config config.json --alert alert.json --poll-interval 1s --reconcile-window 1s";

/// SIGHUP, SIGINT and SIGTERM.
const HUP: i32 = 1;
const INT: i32 = 2;
const TERM: i32 = 15;

/// So long a test waits for what comes within a second.
const LONG: Duration = Duration::from_secs(20);

/// A pipe that takes nothing more.
fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(&vec![b'\n'; rustix::pipe::fcntl_getpipe_size(&writer).unwrap()]).unwrap();
    (reader, writer)
}

fn relay(devin: &Devin) -> Program {
    program()
        .file("config.json", devin.config())
        .file("alert.json", r#"{"title": "something is wrong", "status": "firing"}"#)
}

/// Serves one session that has finished with a pull request; says when a client that has asked for it leaves.
fn finished_session() -> (String, Receiver<()>) {
    let (left, has_left) = channel();
    let left = Mutex::new(left);
    let url = wire(move |connection| {
        let mut has_asked = false;
        while let Some(target) = connection.next() {
            has_asked |= target.contains("/sessions/");
            let body = if target.contains("/sessions/") {
                let mut session = state("exit", true);
                session["session_id"] = "abc".into();
                session.to_string()
            } else if target.contains("/sessions?") {
                r#"{"items":[],"end_cursor":null,"has_next_page":false}"#.to_string()
            } else {
                format!(r#"{{"principal_type":"service_user","org_id":"{}"}}"#, common::ORG)
            };
            connection.answer(200, &body);
        }
        if has_asked {
            let _ = left.lock().unwrap().send(());
        }
    });
    (url, has_left)
}

#[test]
fn a_signal_ends_a_finished_watch_although_nobody_reads_its_stdout_or_its_stderr() {
    for number in [TERM, INT, HUP] {
        for stuck in ["stdout", "stderr"] {
            let (url, has_left) = finished_session();
            let config = serde_json::json!({"api_token": common::TOKEN, "api_url": url}).to_string();
            let program = program().file("config.json", config);
            let (_reader, writer) = full_pipe();
            let (_other, free) = std::io::pipe().unwrap();
            let (stdout, stderr) = if stuck == "stdout" { (writer, free) } else { (free, writer) };
            let child = program.start_into(stdout, stderr, "alert-relay watch abc --config config.json --debug");
            // The work is done when the client hangs up.
            has_left.recv_timeout(LONG).unwrap();
            let signaled = signal(&child, number);
            // Whoever is impatient asks again, in a moment when the first signal may have done its work already.
            again(&child, number);
            assert_eq!(signaled.end(child), format!("died of signal {number}"), "{stuck}");
        }
    }
}

/// The end of a session is asked for once more, and what is said about it waits for a reader: together, both take no longer.
#[test]
fn a_signal_ends_a_run_that_ends_its_session_although_nobody_reads_its_notes() {
    let sessions = Sessions::new().on_look(|_| state("running/working", false));
    let (devin, has_come) = Devin::silent(sessions, |heard| heard.method == "DELETE");
    let program = relay(&devin);
    let ((_reader, stdout), (notes, stderr)) = (std::io::pipe().unwrap(), std::io::pipe().unwrap());
    let mut more = stderr.try_clone().unwrap();
    let child = program.start_into(stdout, stderr, &format!("{RUN} --max-poll-attempts 1 --on-timeout terminate"));
    has_come.recv_timeout(LONG).unwrap();
    // From now on there is no room for notes: what fills it ends with the reader.
    std::thread::spawn(move || more.write_all(&vec![b'\n'; 1 << 20]));
    let began = Instant::now();
    while rustix::io::ioctl_fionread(&notes).unwrap() < 60_000 && began.elapsed() < LONG {
        std::thread::yield_now();
    }
    assert_eq!(signal(&child, TERM).end(child), "died of signal 15");
}

#[test]
fn a_hang_up_during_the_create_waits_for_its_answer_and_says_what_goes_on() {
    let (posted, has_posted) = channel();
    let (answer, may_answer) = channel::<()>();
    let (posted, may_answer) = (Mutex::new(posted), Mutex::new(may_answer));
    let created = Sessions::new().on_look(|_| state("running/working", false)).on_create(move |_| {
        posted.lock().unwrap().send(()).unwrap();
        may_answer.lock().unwrap().recv().unwrap();
        Made::a_session()
    });
    let devin = Devin::of(&created.into());
    let program = relay(&devin);
    let child = program.start(RUN);
    has_posted.recv_timeout(LONG).unwrap();
    let signaled = signal(&child, HUP);
    answer.send(()).unwrap();
    let ran = signaled.all(child);
    assert!(ran.stderr.contains("the session goes on; watch it again with"), "{}", story(&ran));
    assert_eq!(ran.exit(), "died of signal 1");
}

#[test]
fn a_hang_up_that_nohup_ignores_is_ignored() {
    let (came, has_come) = channel();
    let (go, may_go) = channel::<()>();
    let (came, may_go) = (Mutex::new(came), Mutex::new(may_go));
    let sessions = Sessions::new();
    let devin = Devin::start(move |heard| {
        if heard.method == "GET" && heard.parameter("tags").is_some() && came.lock().unwrap().send(()).is_ok() {
            let _ = may_go.lock().unwrap().recv();
        }
        sessions.answer(heard)
    });
    let program = relay(&devin);
    let mut command = program.shell(&format!("trap '' HUP; exec \"$PROGRAM\" {RUN} --detach"));
    let mut child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    has_come.recv_timeout(LONG).unwrap();
    again(&child, HUP);
    drop((go, has_come));
    let mut told = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut told).unwrap();
    let ran = Ran::wait(child, told);
    assert_eq!((ran.exit().as_str(), devin.count("POST")), ("exit 0", 1), "{}", story(&ran));
}

/// Lines of a thousand bytes, and of twenty thousand, before a reader that stands still.
#[test]
fn what_a_stalled_reader_got_of_a_stopped_read_is_whole_lines() {
    for (arguments, stream) in
        [("--sessions 12000 --messages 0", "sessions"), ("--sessions 1 --messages 9000", "session_messages")]
    {
        let sandbox = Sandboxed::start(arguments);
        let program = program().file("config.json", &sandbox.config);
        let (reader, writer) = std::io::pipe().unwrap();
        let (_notes, stderr) = std::io::pipe().unwrap();
        let child = program.start_into(writer, stderr, &format!("read --config config.json --streams {stream}"));
        let mut reader = BufReader::with_capacity(1, reader);
        let mut told = String::new();
        while !told.lines().last().unwrap_or_default().contains(r#""type":"RECORD""#) {
            assert!(reader.read_line(&mut told).unwrap() > 0);
        }
        // Now the pipe fills, and nobody reads.
        let is_full = || rustix::io::ioctl_fionread(reader.get_ref()).unwrap() > 30_000;
        let began = Instant::now();
        while !is_full() && began.elapsed() < LONG {
            std::thread::yield_now();
        }
        assert_eq!(signal(&child, TERM).end(child), "died of signal 15");
        reader.read_to_string(&mut told).unwrap();
        assert!(told.ends_with('\n'), "…{:?}", &told[told.len() - 80..]);
        for line in told.lines() {
            serde_json::from_str::<serde_json::Value>(line).unwrap();
        }
    }
}

/// A line that no pipe takes as a whole: it is begun, waits for its reader, and is cut when the time is up.
#[test]
fn of_a_line_longer_than_the_pipe_a_stalled_reader_got_a_part_and_nothing_after_it() {
    let item = format!(r#"{{"playbook_id":"long","body":"{}"}}"#, "x".repeat(400_000));
    let api = Api::start(move |_| Answer::list(&[&item]));
    let program = program().at(&api, serde_json::json!({}));
    let (mut reader, writer) = std::io::pipe().unwrap();
    let (_notes, stderr) = std::io::pipe().unwrap();
    let child = program.start_into(writer, stderr, "read --config config.json --streams playbooks");
    let began = Instant::now();
    while rustix::io::ioctl_fionread(&reader).unwrap() < 30_000 && began.elapsed() < LONG {
        std::thread::yield_now();
    }
    assert_eq!(signal(&child, TERM).end(child), "died of signal 15");
    let mut told = String::new();
    reader.read_to_string(&mut told).unwrap();
    let (before, cut) = told.rsplit_once('\n').unwrap();
    assert!(cut.contains(r#""playbook_id":"long""#) && cut.ends_with('x'), "{}", &cut[cut.len().saturating_sub(80)..]);
    for line in before.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
}

#[test]
fn too_few_files_are_named_and_no_panic() {
    for limit in 4..=15 {
        for arguments in ["read --sandbox --streams secrets", "alert-relay run --sandbox --alert alert.json", "sandbox"]
        {
            let program = program().file("alert.json", "{}");
            let mut command = program.shell(&format!("ulimit -n {limit}; exec \"$PROGRAM\" {arguments}"));
            let output = command.output().unwrap();
            let ran = Ran::new(output.status, output.stdout, output.stderr);
            // Below that the system cannot even load a program's libraries.
            if ran.stderr.contains("error while loading shared libraries") {
                continue;
            }
            let ended = (ran.exit(), ran.stderr.trim().to_string());
            let expected = "error: this process may not open the 12 more files that it needs (Too many open files (os error 24)): raise the limit (ulimit -n)";
            assert_eq!(ended, ("exit 1".to_string(), expected.to_string()), "ulimit -n {limit}, {arguments}");
        }
    }
}

#[test]
fn twenty_files_are_enough() {
    let program = program();
    let output = program.shell("ulimit -n 20; exec \"$PROGRAM\" read --sandbox").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_stdout_that_is_closed_is_told_before_anything_is_created() {
    let devin = Devin::start(|_| Said::Nothing);
    let program = relay(&devin);
    let closed = "error: stdout is closed, so nothing could be reported: redirect it to a file, or to /dev/null\n";
    for (end, expected) in [(">&-", (1, closed)), (">/dev/null", (0, ""))] {
        let output = program.shell(&format!("exec \"$PROGRAM\" spec {end}")).output().unwrap();
        let told = (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap());
        assert_eq!(told, (expected.0, expected.1.to_string()));
    }
    let output = program.shell(&format!("exec \"$PROGRAM\" {RUN} >&-")).output().unwrap();
    assert_eq!((output.status.code(), devin.asked().as_str()), (Some(1), ""));
}
