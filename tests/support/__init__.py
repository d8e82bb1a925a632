"""What tests share: sample fields, reference code, array libraries."""
