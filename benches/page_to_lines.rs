//! The pure step alone: pages of bytes become record lines, without sockets.
//!
//! ```text
//! cargo bench --bench page_to_lines -- [PAGES] [STREAM]     50 pages of sessions unless said otherwise
//! ```
//!
//! Instructions, which do not depend on the machine's mood; only the step itself is collected:
//!
//! ```text
//! CARGO_PROFILE_BENCH_STRIP=none CARGO_PROFILE_BENCH_DEBUG=line-tables-only CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER='valgrind --tool=callgrind --collect-atstart=no --toggle-collect=page_to_lines::convert --callgrind-out-file=callgrind.out' cargo bench --bench page_to_lines -- 5
//! callgrind_annotate callgrind.out | head -40
//! ```

mod organization;

use std::time::Instant;

use anyhow::{Context, Result};
use source_devin_ai::config::Config;
use source_devin_ai::devin::Page;
use source_devin_ai::source::fingerprint::fingerprint;
use source_devin_ai::source::list::key_of;
use source_devin_ai::source::listing::{Kind, Listing, Times};
use source_devin_ai::source::pass::Pass;
use source_devin_ai::source::plan::{pick, plan_streams};
use source_devin_ai::source::record::{Frame, Framed, frame_page};
use source_devin_ai::source::step::Step;

use organization::Organization;

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let pages = words.first().map_or(Ok(50), |word| word.parse()).context("the number of pages is no number")?;
    let name = words.get(1).map_or("sessions", String::as_str);
    let streams = pick(name).map_err(anyhow::Error::msg)?;
    let config = Config::of_sandbox("", "", "");
    let step = plan_streams(&config, &streams, None, 0).steps.remove(0);

    let mut organization = Organization::start(pages * 200, None)?;
    let answers = organization.list(&step.stream.paths[0].below.join("/"), |_| ())?;
    let bodies: Vec<Vec<u8>> = answers.into_iter().map(|(_, body)| body).collect();
    let (count, bytes) = (bodies.len(), bodies.iter().map(Vec::len).sum::<usize>());

    let began = Instant::now();
    let framed = convert(&step, bodies);
    let took = began.elapsed();
    let records = framed.iter().map(|framed| framed.records).sum::<u64>();
    let written = framed.iter().map(|framed| framed.lines.len()).sum::<usize>();
    println!(
        "{}: {count} pages, {records} records, {bytes} bytes in, {written} bytes out, {:.0} ns and {:.0} bytes a record",
        step.stream.name,
        took.as_nanos() as f64 / records as f64,
        bytes as f64 / records as f64
    );
    Ok(())
}

/// What a read does with the pages of one list, between the socket and the queue of stdout.
#[inline(never)]
fn convert(step: &Step, bodies: Vec<Vec<u8>>) -> Vec<Framed> {
    let mut pass = Pass::new(step);
    let mut listing = Listing::new(Kind::Sessions, None, 0);
    bodies
        .into_iter()
        .map(|body| {
            let page = Page::parse(body).expect("the sandbox's pages are sound");
            let frame = Frame::airbyte(&step.descriptor, 1_767_225_600_000);
            frame_page(&page, &frame, &step.stream.reading(), |item, facts| {
                let sight = listing.note(
                    key_of(item, facts),
                    Times { created_at: facts.created_at(), updated_at: facts.updated_at() },
                    || fingerprint(item.as_bytes()),
                );
                pass.wants(item, facts, sight)
            })
        })
        .collect()
}
