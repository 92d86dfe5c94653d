//! Letters and digits of Unicode that a person reads as plain ones: wide, mathematical and encircled. Pure.

/// Mathematical letters that have their place among the symbols that look like letters, each before what it is read as.
const SYMBOLS: &str = "ℂCℊgℋHℌHℍHℎhℐIℑIℒLℓlℕNℙPℚQℛRℜRℝRℤZℨZℬBℭCℯeℰEℱFℳMℴo";

/// The plain character that `c` is read as.
pub(super) fn plain(c: char) -> Option<char> {
    let code = u32::from(c);
    let nth = |first: u32, alphabet: &str| {
        let count = u32::try_from(alphabet.len()).ok()?;
        alphabet.chars().nth(usize::try_from((code - first) % count).ok()?)
    };
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(code - 0xfee0),
        '\u{1d400}'..='\u{1d6a3}' => nth(0x1d400, LETTERS),
        '\u{1d7ce}'..='\u{1d7ff}' => nth(0x1d7ce, "0123456789"),
        '\u{24b6}'..='\u{24e9}' => nth(0x24b6, LETTERS),
        '\u{2102}'..='\u{2134}' => SYMBOLS.chars().skip_while(|symbol| *symbol != c).nth(1),
        _ => None,
    }
}
