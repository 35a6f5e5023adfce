# SPDX-License-Identifier: BSD-2-Clause
# The files of the plugin, for it and for its tests.
set(OBFS_SOURCES
	obfs.c options.c modes.c queue.c fault.c key.c random.c report.c
	salamander.c
	veil.c veil_key.c veil_length.c veil_mask.c veil_options.c veil_packet.c veil_replay.c
	mimic.c mimic_dtls.c mimic_hello.c mimic_hold.c mimic_options.c mimic_peers.c mimic_rtp.c
	mimic_session.c
	awg.c awg_frame.c awg_options.c awg_tags.c)
