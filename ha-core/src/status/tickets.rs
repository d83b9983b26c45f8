//! Tickets, in the order in which Pacemaker lists them.
//!
//! Pacemaker keeps tickets in a GLib hash table and lists them in its order, which is therefore
//! part of what people see. [`TicketTable`] places keys the way that table does.

use crate::model::scalar;

use super::engine::Engine;
use super::types::Ticket;

/// Tickets by name, listed in the order of a GLib hash table.
#[derive(Debug, Default)]
pub(super) struct TicketTable {
    tickets: Vec<Ticket>,
    /// For each slot, a place in `tickets`.
    slots: Vec<Option<usize>>,
}

const MIN_SLOTS: usize = 8;
/// The modulus for each size that is a power of two, from 1 on.
const MODULI: [u32; 20] = [
    1, 2, 3, 7, 13, 31, 61, 127, 251, 509, 1021, 2039, 4093, 8191, 16381, 32749, 65521, 131_071,
    262_139, 524_287,
];

fn hash(name: &str) -> u32 {
    let hash = name.bytes().fold(0_u32, |h, byte| {
        let signed = i32::from(byte.cast_signed());
        h.wrapping_mul(31).wrapping_add(signed.cast_unsigned())
    });
    hash.max(2)
}

impl TicketTable {
    fn start(&self, name: &str) -> usize {
        let modulus = MODULI
            .get(self.slots.len().trailing_zeros() as usize)
            .copied()
            .unwrap_or(MODULI[MODULI.len() - 1]);
        (hash(name).wrapping_mul(11) % modulus) as usize
    }

    /// Returns a ticket, made as not granted when there is none.
    pub(super) fn entry(&mut self, name: &str) -> &mut Ticket {
        if self.slots.is_empty() {
            self.slots = vec![None; MIN_SLOTS];
        }
        let mask = self.slots.len() - 1;
        let (mut slot, mut step) = (self.start(name), 0);
        while let Some(at) = self.slots[slot] {
            if self.tickets[at].id == name {
                return &mut self.tickets[at];
            }
            step += 1;
            slot = (slot + step) & mask;
        }
        let at = self.tickets.len();
        self.slots[slot] = Some(at);
        self.tickets.push(Ticket {
            id: name.to_owned(),
            granted: false,
            standby: false,
            last_granted: None,
        });
        if self.slots.len() <= self.tickets.len() + self.tickets.len() / 16 {
            self.grow();
        }
        &mut self.tickets[at]
    }

    fn grow(&mut self) {
        let wanted = self.tickets.len() * 1333 / 1000;
        let size = (wanted + 1).next_power_of_two().max(MIN_SLOTS);
        let old = self.slots.len();
        self.slots.resize(size.max(old), None);
        let mask = self.slots.len() - 1;
        let mut placed = vec![false; self.slots.len()];
        for slot in 0..old {
            if placed[slot] {
                continue;
            }
            let mut moving = self.slots[slot].take();
            while let Some(at) = moving {
                let (mut place, mut step) = (self.start(&self.tickets[at].id), 0);
                while placed[place] {
                    step += 1;
                    place = (place + step) & mask;
                }
                placed[place] = true;
                moving = self.slots[place].replace(at);
            }
        }
    }

    /// Returns the tickets in the order of the table.
    pub(super) fn in_order(&self) -> Vec<Ticket> {
        self.slots
            .iter()
            .flatten()
            .map(|&at| self.tickets[at].clone())
            .collect()
    }
}

impl Engine<'_> {
    /// Reads the state of the tickets.
    pub(super) fn read_tickets(&mut self) {
        for state in self.cib.ticket_states() {
            let Some(id) = state.attribute("id") else {
                continue;
            };
            let ticket = self.ticket_order.entry(id);
            ticket.granted = scalar::is_true(state.attribute("granted"));
            ticket.standby = scalar::is_true(state.attribute("standby"));
            ticket.last_granted = state.attribute("last-granted").and_then(scalar::integer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(names: &[&str]) -> Vec<String> {
        let mut table = TicketTable::default();
        for name in names {
            table.entry(name);
        }
        table
            .in_order()
            .into_iter()
            .map(|ticket| ticket.id)
            .collect()
    }

    #[test]
    fn few_tickets_are_listed_by_hash() {
        // "a" is 97, times 11 modulo 7 is slot 3; "b" 0; "c" 4.
        assert_eq!(order(&["a", "b", "c"]), ["b", "a", "c"]);
    }

    #[test]
    fn every_ticket_survives_growth() {
        let names: Vec<String> = (0..200).map(|n| format!("ticket-{n}")).collect();
        let mut listed = order(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let mut expected = names;
        listed.sort();
        expected.sort();
        assert_eq!(listed, expected);
    }
}
