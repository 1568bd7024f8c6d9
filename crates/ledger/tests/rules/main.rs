//! The rules of the ledger, one by one: what is put in, when, and exactly what comes out.

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
mod unconfirmed;
mod weight;
