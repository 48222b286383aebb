//! `site.yaml` and `board.yaml`.
