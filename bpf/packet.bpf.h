/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Packets of this host's sockets. For most only the headers and the first bytes
 * are read. DNS (port 53, both ways) and the hello of a TLS client (any port,
 * outgoing) are reported. User space parses them, where a mistake does no harm. */
#include "lib/wire.h"

/* The length of a TCP message, and the header of the DNS message. */
#define PACKET_HEAD 14

static __always_inline bool packet__is_hello(const __u8 *head)
{
	return head[0] == 0x16 && head[1] == 3 && head[2] >= 1 && head[2] <= 3 && head[5] == 1;
}

/* Runs for each outgoing segment, so it reads two bytes, and only while TLS packets are wanted. */
static __always_inline bool packet__may_be_hello(struct __sk_buff *packet, __u32 payload, bool loopback)
{
	__u8 head[2];

	if (!interest__any_form(loopback ? INTEREST(PACKET_TLS_LOOPBACK) : INTEREST(PACKET_TLS)))
		return false;
	return bpf_skb_load_bytes(packet, payload, head, sizeof(head)) || (head[0] == 0x16 && head[1] == 3);
}

/* A query or an answer with one question: otherwise every segment of a zone transfer would be taken for a message. */
static __always_inline bool packet__is_dns_message(const __u8 *header)
{
	return !(header[2] & 0x78) && header[4] == 0 && header[5] == 1;
}

/* Returns 0 for a packet that is not reported. */
static __always_inline __u32 packet__content(struct __sk_buff *packet, const struct wire *w, bool egress)
{
	bool dns = wire__is_dns(w);
	__u8 head[PACKET_HEAD] = {};

	if (w->protocol == IPPROTO_UDP)
		return dns && w->length ? RF_PACKET_DNS : 0;
	if (!dns && !egress)
		return 0;
	if (w->length < PACKET_HEAD || bpf_skb_load_bytes(packet, w->payload, head, PACKET_HEAD))
		return 0;
	/* some senders put the length into a segment of its own */
	if (dns)
		return packet__is_dns_message(head + 2) || packet__is_dns_message(head) ? RF_PACKET_DNS : 0;
	return packet__is_hello(head) ? RF_PACKET_TLS : 0;
}

static __always_inline __u64 packet__forms(const struct wire *w, __u32 content)
{
	if (content == RF_PACKET_DNS)
		return INTEREST(PACKET_DNS);
	return socket__is_loopback(w->family, (const __u32 *)w->source) || socket__is_loopback(w->family, (const __u32 *)w->destination)
		       ? INTEREST(PACKET_TLS_LOOPBACK)
		       : INTEREST(PACKET_TLS);
}

static __always_inline void packet__fill(struct rf_packet *p, const struct wire *w, __u32 content, bool egress)
{
	p->family = w->family;
	p->protocol = w->protocol;
	p->port = egress ? w->destination_port : w->source_port;
	p->local_port = egress ? w->source_port : w->destination_port;
	__builtin_memcpy(p->address, egress ? w->destination : w->source, sizeof(p->address));
	__builtin_memcpy(p->local_address, egress ? w->source : w->destination, sizeof(p->local_address));
	p->content = content;
	p->egress = egress;
	p->payload.offset = sizeof(*p);
	p->payload.kept = 0;
	p->payload.length = w->length;
	p->pad = 0;
}

static __always_inline void packet__report(struct __sk_buff *packet, const struct wire *w, __u32 content, bool egress)
{
	__u32 max = content == RF_PACKET_DNS ? RF_DNS_MAX : RF_TLS_MAX;
	__u32 kept = w->length < max ? w->length : max;
	__u64 forms = packet__forms(w, content);
	struct rf_scratch_wire *scratch;
	struct rf_owner *owner;
	struct rf_packet *p;

	if (!interest__any_form(forms)) {
		ring__count_skipped(RF_LANE_BULK, RF_PACKET, RF_DROP_UNWATCHED);
		return;
	}
	ring__count_seen(RF_LANE_BULK, RF_PACKET);
	owner = owner__find(bpf_get_socket_cookie(packet), RF_PACKET);
	if (!owner)
		return;
	if (!interest__of_ends(forms, owner->cgroup, egress ? w->destination_port : w->source_port, egress ? w->source_port : w->destination_port)) {
		ring__count_drop(RF_LANE_BULK, RF_PACKET, RF_DROP_UNWATCHED);
		return;
	}
	if (share__throttles(RF_LANE_BULK, RF_PACKET, owner->cgroup))
		return;
	scratch = scratch__acquire(&rf_scratch_packet, 2 * ring__cpu() + egress, RF_LANE_BULK, RF_PACKET);
	if (!scratch)
		return;
	p = (struct rf_packet *)scratch->record;
	owner__fill_header(&p->h, owner, RF_PACKET);
	packet__fill(p, w, content, egress);
	/* bounds `kept` to 1 .. RF_TLS_MAX in the only form that
	 * 6.1's verifier follows; any content has at least one byte */
	kept--;
	rf_barrier(kept);
	kept &= RF_TLS_MAX - 1;
	rf_barrier(kept);
	kept++;
	if (!failure__check(RF_PLACE_PACKET, bpf_skb_load_bytes(packet, w->payload, scratch->record + sizeof(*p), kept)))
		p->payload.kept = kept;
	else
		ring__count_drop(RF_LANE_BULK, RF_PACKET, RF_DROP_READ_FAULT);
	ring__output_of_packet(RF_LANE_BULK, p, sizeof(*p) + p->payload.kept, sizeof(scratch->record));
	scratch__release(scratch);
}

static __always_inline int packet__handle(struct __sk_buff *packet, bool egress)
{
	struct wire w = {};
	bool loopback = false;
	__u32 payload = 0;
	__u32 content;

	if (!interest__any(RF_PACKET) && !interest__any(RF_DATAGRAM))
		return 1;
	if (wire__can_skip(packet, egress, PACKET_HEAD, &payload, &loopback) || (payload && !packet__may_be_hello(packet, payload, loopback)))
		return 1;
	if (!wire__read(packet, &w))
		return 1;
	if (w.protocol == IPPROTO_UDP)
		datagram__handle(packet, &w, egress);
	content = packet__content(packet, &w, egress);
	if (content)
		packet__report(packet, &w, content, egress);
	return 1; /* allow: this hook only observes */
}

SEC("cgroup_skb/ingress")
int packet_arrives(struct __sk_buff *packet)
{
	return packet__handle(packet, false);
}

SEC("cgroup_skb/egress")
int packet_leaves(struct __sk_buff *packet)
{
	return packet__handle(packet, true);
}
