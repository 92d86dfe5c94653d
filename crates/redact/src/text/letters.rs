//! Letters and digits of Unicode that a person reads as plain ones: wide, mathematical and encircled. Pure.

/// Mathematical letters that have their place among the symbols that look like letters, each before what it is read as.
const SYMBOLS: &str = "ℂCℊgℋHℌHℍHℎhℐIℑIℒLℓlℕNℙPℚQℛRℜRℝRℤZℨZℬBℭCℯeℰEℱFℳMℴo";

/// The plain character that `c` is read as.
pub(crate) fn plain(c: char) -> Option<char> {
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

/// Whether a word goes on with `c`: a letter, a digit, or a mark that stands above, below or between letters.
pub(crate) fn goes_on(c: char) -> bool {
    c.is_alphanumeric()
        || matches!(c, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{64b}'..='\u{65f}' | '\u{93c}'..='\u{94d}')
        || matches!(c, '\u{9bc}'..='\u{9cd}' | '\u{e31}'..='\u{e4e}' | '\u{3099}' | '\u{309a}')
}

/// Whether a letter is Latin.
pub(crate) fn is_latin(c: char) -> bool {
    matches!(c, '\0'..='\u{24f}' | '\u{1e00}'..='\u{1eff}')
}

/// Letters of other alphabets, each before the plain one that it looks like: Cyrillic, Greek, small capitals, raised and lowered ones.
const LOOK_ALIKES: &str = "аaеeоoрpсcхxуyіiѕsјjԁdһhԛqԝwАAВBЕEКKМMНHОOРPСCТTХXУYІIЅSЈJΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧXοoνvρpιiκkχx\
    ᴀaʙbᴄcᴅdᴇeꜰfɢgʜhɪiᴊjᴋkʟlᴍmɴnᴏoᴘpǫqʀrꜱsᴛtᴜuᴠvᴡwʏyᴢzᵃaᵇbᶜcᵈdᵉeᶠfᵍgʰhⁱiʲjᵏkˡlᵐmⁿnᵒoᵖpʳrˢsᵗtᵘuᵛvʷwˣxʸyᶻz\
    ᴬAᴮBᴰDᴱEᴳGᴴHᴵIᴶJᴷKᴸLᴹMᴺNᴼOᴾPᴿRᵀTᵁUⱽVᵂW⁰0¹1²2³3⁴4⁵5⁶6⁷7⁸8⁹9₀0₁1₂2₃3₄4₅5₆6₇7₈8₉9ₐaₑeₕhᵢiⱼjₖkₗlₘmₙnₒoₚpᵣrₛsₜtᵤuᵥvₓx";

/// Letters and digits with something around them, where the first of a row stands, and what they are in order.
const ROWS: [(char, &str); 14] = [
    ('\u{2460}', "123456789"),
    ('\u{2474}', "123456789"),
    ('\u{249c}', "abcdefghijklmnopqrstuvwxyz"),
    ('\u{24ea}', "0"),
    ('\u{24f5}', "123456789"),
    ('\u{24ff}', "0"),
    ('\u{2776}', "123456789"),
    ('\u{2780}', "123456789"),
    ('\u{278a}', "123456789"),
    ('\u{1f110}', "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    ('\u{1f130}', "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    ('\u{1f150}', "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    ('\u{1f170}', "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    ('\u{1f1e6}', "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
];

/// The plain character that `c` looks like: also a letter of another alphabet, which is itself where a text is read for its words.
pub(crate) fn alike(c: char) -> Option<char> {
    let of_row = || {
        let row = ROWS.iter().rev().find(|(first, _)| *first <= c)?;
        row.1.chars().nth(usize::try_from(u32::from(c) - u32::from(row.0)).ok()?)
    };
    plain(c).or_else(|| LOOK_ALIKES.chars().skip_while(|alike| *alike != c).nth(1)).or_else(of_row)
}
