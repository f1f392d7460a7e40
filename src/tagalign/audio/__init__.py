"""Signal in, numbers out: decoding, log-mel, padding, patches, MFCC."""
