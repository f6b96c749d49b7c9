//! The inputs that a worker has and that have no outcome yet, by the number that both sides count them by.

use std::collections::VecDeque;

/// A window of things that were given out in order and come back in any.
#[derive(Debug)]
pub(super) struct Window<E> {
    first: u64,
    entries: VecDeque<Option<E>>,
    open: usize,
}

impl<E> Window<E> {
    pub(super) fn new() -> Self {
        Self {
            first: 0,
            entries: VecDeque::new(),
            open: 0,
        }
    }

    /// How many are out.
    pub(super) fn len(&self) -> usize {
        self.open
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open == 0
    }

    /// The number that the next one will have.
    pub(super) fn end(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    pub(super) fn push(&mut self, entry: E) {
        self.entries.push_back(Some(entry));
        self.open += 1;
    }

    /// Takes one out; `None` if it is not out, or was never.
    pub(super) fn take(&mut self, place: u64) -> Option<E> {
        let at = usize::try_from(place.checked_sub(self.first)?).ok()?;
        let entry = self.entries.get_mut(at)?.take()?;
        self.open -= 1;
        while let Some(None) = self.entries.front() {
            self.entries.pop_front();
            self.first += 1;
        }
        Some(entry)
    }

    /// Takes out all from this number on, in order.
    pub(super) fn take_from(&mut self, place: u64) -> Vec<E> {
        (place.max(self.first)..self.end())
            .filter_map(|place| self.take(place))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_comes_back_once_whatever_the_order() {
        let mut window = Window::new();
        for letter in "abcde".chars() {
            window.push(letter);
        }
        assert_eq!((window.len(), window.end()), (5, 5));
        assert_eq!(window.take(2), Some('c'));
        assert_eq!(window.take(2), None, "only once");
        assert_eq!(window.take(0), Some('a'));
        assert_eq!(window.take(9), None, "never given out");
        assert_eq!(window.take_from(3), ['d', 'e']);
        assert_eq!(window.take_from(0), ['b']);
        assert!(window.is_empty());
        window.push('f');
        assert_eq!((window.end(), window.take(5)), (6, Some('f')));
    }
}
