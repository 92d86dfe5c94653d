//! Tells quickly which names cannot matter. Pure.

use std::sync::LazyLock;

use super::names;

/// The ends of all names that matter, by the hash of their last letters, four at most: most words of a text have none of them,
/// and are not taken apart.
static ENDS: LazyLock<Vec<Vec<&'static str>>> = LazyLock::new(|| {
    let mut ends = vec![Vec::new(); 4096];
    for name in names::ends() {
        let end = name.bytes().fold(0u32, |end, byte| end << 8 | u32::from(byte));
        ends[place_of(end)].push(name);
    }
    ends
});

fn place_of(end: u32) -> usize {
    (end.wrapping_mul(0x9e37_79b1) >> 20) as usize
}

/// Whether a name may be one that matters: all that matter pass.
pub(crate) fn may_matter(name: &str) -> bool {
    let mut end = 0u32;
    !name.is_ascii()
        || name.bytes().enumerate().filter(|(_, byte)| !b"-_.".contains(byte)).any(|(at, byte)| {
            end = end << 8 | u32::from(byte.to_ascii_lowercase());
            let known = [u32::MAX, 0xff_ffff, 0xffff].into_iter().flat_map(|letters| &ENDS[place_of(end & letters)]);
            known.into_iter().any(|known| {
                let letters = name.as_bytes()[..=at].iter().rev().filter(|byte| !b"-_.".contains(byte));
                known.len() <= at + 1
                    && letters.zip(known.bytes().rev()).all(|(byte, known)| byte.eq_ignore_ascii_case(&known))
            })
        })
}
