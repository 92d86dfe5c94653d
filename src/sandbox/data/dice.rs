//! Repeatable chance: numbers that follow from a seed, a topic and an index, and from nothing else.

/// What a throw is about, so that two facts of one session do not move together.
#[derive(Clone, Copy, Debug)]
pub enum Topic {
    Fault,
    Slot,
    Session,
    Children,
    Title,
    PullRequest,
    Insight,
    Message,
    Big,
    Quota,
    TakeOver,
}

/// A row of throws.
pub struct Dice {
    state: u64,
}

impl Dice {
    /// The throws for one thing among many.
    pub fn new(seed: u64, topic: Topic, index: u64) -> Dice {
        let start = mix(seed ^ (topic as u64).rotate_right(8));
        Dice { state: mix(start ^ index) }
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        // The remainder's bias is of no account for numbers this small.
        mix(self.state) % limit
    }

    /// Whether something happens that happens this often in a hundred.
    pub fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    /// A number from 0 to just below 1.
    pub fn fraction(&mut self) -> f64 {
        self.below(1 << 53) as f64 / (1_u64 << 53) as f64
    }

    /// One of the values, each as likely as the next.
    pub fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len() as u64) as usize]
    }

    /// One of the values, each as likely as its weight says.
    pub fn weighted<'a, T>(&mut self, values: &'a [T], weight: impl Fn(&T) -> u64) -> &'a T {
        let mut left = self.below(values.iter().map(&weight).sum());
        for value in values {
            match left.checked_sub(weight(value)) {
                Some(rest) => left = rest,
                None => return value,
            }
        }
        unreachable!("a number below the sum of the weights falls into one of them")
    }
}

/// Scatters a number over all 64 bits, one to one (the finalizer of SplitMix64).
pub fn mix(value: u64) -> u64 {
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}

/// The number that [`mix`] made this one of.
pub fn unmix(value: u64) -> u64 {
    let value = (value ^ value >> 31 ^ value >> 62).wrapping_mul(0x3196_42b2_d24d_8ec3);
    let value = (value ^ value >> 27 ^ value >> 54).wrapping_mul(0x96de_1b17_3f11_9089);
    value ^ value >> 30 ^ value >> 60
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixing_is_undone() {
        for step in 0..10_000_u64 {
            let value = step.wrapping_mul(0x0123_4567_89ab_cdef);
            assert_eq!(unmix(mix(value)), value);
            assert_eq!(mix(unmix(value)), value);
        }
    }

    #[test]
    fn weights_are_met() {
        let mut dice = Dice::new(1, Topic::Session, 0);
        let mut counts = [0; 3];
        for _ in 0..10_000 {
            counts[*dice.weighted(&[0_usize, 1, 2], |value| [70, 0, 30][*value])] += 1;
        }
        assert!((6_800..7_200).contains(&counts[0]), "{counts:?}");
        assert_eq!(counts[1], 0);
    }
}
