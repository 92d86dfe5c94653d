//! Whatever a server asks us to wait, the wait is bounded, and the pool of requests survives it.

#![no_main]

use std::time::{Duration, Instant, SystemTime};

use libfuzzer_sys::fuzz_target;
use source_devin_ai::devin::Kind;
use source_devin_ai::devin::pace::Pace;
use source_devin_ai::devin::retry::{Policy, Verdict, retry_after};

fuzz_target!(|data: &[u8]| {
    // Seven bytes for the clock, the time spent and the number of the try; the rest is the header.
    let Some((&[n0, n1, n2, n3, s0, s1, tried], value)) = data.split_first_chunk() else { return };
    let (now_s, spent_ms) = (u32::from_le_bytes([n0, n1, n2, n3]), 4 * u64::from(u16::from_le_bytes([s0, s1])));
    let Ok(value) = std::str::from_utf8(value) else { return };
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(u64::from(now_s));
    let wait = retry_after(value, now);
    if let Ok(seconds) = value.parse::<u32>()
        && !value.starts_with('+')
    {
        assert_eq!(wait, Some(Duration::from_secs(u64::from(seconds))));
    }
    let (policy, spent) = (Policy::patient(), Duration::from_millis(spent_ms));
    for status in [429, 503] {
        let tried = u32::from(tried % 8).max(1);
        let verdict = policy.after(&Kind::Status(status), tried, spent, wait, f64::from(now_s) / f64::from(u32::MAX));
        let Verdict::Wait { wait: chosen, asked } = verdict else { continue };
        assert!(tried < policy.tries && chosen > Duration::ZERO && chosen <= policy.longest_wait);
        assert!(!asked || wait == Some(chosen));
        assert!(asked || spent + chosen < policy.budget);
        let mut pace = Pace::new(usize::from(value.len() as u8));
        pace.rate_limited(Instant::now(), chosen);
    }
});
