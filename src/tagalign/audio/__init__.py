"""Sounds in, numbers out: decoding, log-mel, patches, frames, MFCC, folders of sounds."""
