# SPDX-License-Identifier: BSD-2-Clause
# The files of the plugin, for it and for its tests.
set(KCP_SOURCES
	kcp.c options.c fault.c route.c session.c sessions.c batch.c
	arq.c arq_input.c arq_loss.c arq_send.c segment.c sendwin.c copies.c recvwin.c reader.c packer.c
	wheel.c cells.c
	flow.c flow_ack.c flow_arrival.c flow_begin.c flow_door.c flow_fate.c flow_lane.c flow_message.c flow_parity.c
	flow_queue.c flow_repair.c flow_rx.c flow_tx.c
	frame.c group.c group_plan.c ranges.c
	backlog.c congestion.c congestion_rate.c pacer.c rtt.c
	crc32.c crypt.c crypt_cfb.c crypt_gcm.c crypt_library.c crypt_nonce.c crypt_salsa20.c
	fec.c fec_decode.c fec_encode.c fec_tune.c kdf.c rs.c)
