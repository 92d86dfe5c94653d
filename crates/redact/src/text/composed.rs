//! Letters with their marks, which some programs write as two characters: an `s` and a cedilla. Pure.

/// What a mark makes of the letters before it: each stands before the letter that has the mark.
const MARKED: [(char, &str); 17] = [
    ('\u{300}', "aàeèiìoòuùAÀEÈIÌOÒUÙâầêềôồơờưừăằ"),
    ('\u{301}', "aáeéiíoóuúyýcćnńsśzźAÁEÉIÍOÓUÚYÝCĆNŃSŚZŹâấêếôốơớưứăắαάεέηήιίοόυύωώΑΆΕΈΗΉΙΊΟΌΥΎΩΏ"),
    ('\u{302}', "aâeêiîoôuûAÂEÊIÎOÔUÛạậẹệọộẠẬẸỆỌỘ"),
    ('\u{303}', "aãnñoõeẽuũiĩAÃNÑOÕâẫêễôỗơỡưữăẵ"),
    ('\u{304}', "aāeēiīuūoōAĀEĒIĪUŪ"),
    ('\u{306}', "aăgğuŭAĂGĞийИЙуўạặẠẶ"),
    ('\u{307}', "eėzżIİEĖZŻ"),
    ('\u{308}', "aäoöuüeëiïAÄOÖUÜEËеёЕЁіїІЇιϊυϋ"),
    ('\u{309}', "aảeẻiỉoỏuủyỷAẢEẺIỈOỎUỦâẩÂẨêểÊỂôổÔỔơởưửăẳ"),
    ('\u{30a}', "aåuůAÅUŮ"),
    ('\u{30b}', "oőuűOŐUŰ"),
    ('\u{30c}', "cčdďeěnňrřsštťzžCČDĎEĚNŇRŘSŠTŤZŽ"),
    ('\u{31b}', "oơuưOƠUƯ"),
    ('\u{323}', "aạeẹiịoọuụyỵAẠEẸIỊOỌUỤâậêệôộơợưựăặÂẬÊỆÔỘ"),
    ('\u{326}', "sștțSȘTȚ"),
    ('\u{327}', "cçsşgģkķlļnņCÇSŞ"),
    ('\u{328}', "aąeęiįuųAĄEĘIĮUŲ"),
];

/// The first vowel and the first consonant at the end of a Korean syllable, and how many there are.
const VOWELS: (u32, u32) = (0x1161, 21);
const ENDS: (u32, u32) = (0x11a7, 28);

/// Whether a mark of the kind may begin with this byte.
pub(super) fn may_begin(byte: u8) -> bool {
    matches!(byte, 0xcc | 0xcd | 0xe1 | 0xe3)
}

/// The letter that `mark` makes of the one before it.
pub(super) fn with(letter: char, mark: char) -> Option<char> {
    let code = u32::from(letter);
    match mark {
        '\u{300}'..='\u{328}' => {
            let letters = MARKED.iter().find(|(known, _)| *known == mark)?.1;
            letters.chars().step_by(2).zip(letters.chars().skip(1).step_by(2)).find(|(plain, _)| *plain == letter)
        }
        .map(|(_, marked)| marked),
        // Of Japanese: `ハ` and a ring are `パ`, `ト` and two strokes are `ド`.
        '\u{3099}' | '\u{309a}' if matches!(letter, 'か'..='ほ' | 'カ'..='ホ') => {
            char::from_u32(code + u32::from(mark) - 0x3098)
        }
        '\u{1161}'..='\u{1175}' if matches!(letter, '\u{1100}'..='\u{1112}') => {
            char::from_u32(0xac00 + ((code - 0x1100) * VOWELS.1 + u32::from(mark) - VOWELS.0) * ENDS.1)
        }
        '\u{11a8}'..='\u{11c2}'
            if matches!(letter, '\u{ac00}'..='\u{d7a3}') && (code - 0xac00).is_multiple_of(ENDS.1) =>
        {
            char::from_u32(code + u32::from(mark) - ENDS.0)
        }
        _ => None,
    }
}
