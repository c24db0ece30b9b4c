// Package ledger keeps the labels that people gave to texts: who said what of which
// text, when, through which system, and how the text was chosen. It is the source of
// truth for training; everything else is made from it.
//
// A ledger is a list of events that only grows. An event is durable before it is
// acknowledged. Events are numbered 1, 2, 3, ... in the order in which they became
// durable: writers take turns, so a reader who has seen position p has seen every
// event up to p. Kinds of events: label, forget, remap, quarantine, confirm, queue,
// skip, and those that callers Record.
//
// # What a text's label is
//
// Per text, target and head:
//
//   - Each annotator's newest label is a vote; one that is taken back is none.
//   - Remaps that came after a label change it: one new label renames or merges,
//     several split (the label is void until given anew), none drops.
//   - A label in quarantine does not vote until another annotator confirms it or its
//     own annotator replaces it.
//   - If a vote is adjudicated, the newest adjudicated one decides. Else the label
//     with the most votes does; if several have as many, it is a conflict and the
//     text has no label there.
//
// A prediction is never a label: nothing here reads what models say.
//
// # Forgetting
//
// The content of texts, and what callers call them, lies beside the events. Forget
// erases it and keeps a tombstone: HMAC-SHA256 (RFC 2104) under the ledger's random
// salt, cut to 128 bits, so that the text is never taken again and models that were
// trained on it can be found, while nobody without the salt can tell what it was.
//
// What was erased in a file of SQLite is overwritten, in its write-ahead log too, before
// Forget returns. PostgreSQL is told to vacuum the tables; what it keeps beside them (free
// space until it is used again, its write-ahead log, replicas, backups) is for who
// runs it to age out. Of requests a salted digest is kept, to tell a repetition.
//
// # Databases
//
// SQLite (a file, the default) and PostgreSQL, with the same behaviour: one
// implementation over what differs (dialect). Several processes may share a ledger.
// A file must lie on a disk of the machine: SQLite's locks do not hold on network file
// systems.
//
// # Export and import
//
// An export has all there is, so that an import makes an equal ledger with the same
// id, numbers, digests and resolutions, also in the other database. So it has the
// salt: guard it like the ledger. Of a ledger that was exported before something was
// forgotten, an import is a ledger that has it still; import a later export into it.
package ledger
