//! The rules of the ledger, one by one: input, time, and the exact output.

mod agreement;
mod answer_window;
mod answers;
mod bench;
mod broadcast;
mod challenge;
mod clock;
mod delivery;
mod flow;
mod rate;
mod reports;
mod significance;
mod unconfirmed;
