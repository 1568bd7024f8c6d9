//! The rules of the ledger, one by one: what is put in, when, and exactly what comes out.

mod answers;
mod bench;
mod clock;
mod delivery;
mod flow;
mod rate;
mod unconfirmed;
