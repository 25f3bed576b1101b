/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Headers of an IP packet that carries TCP or UDP. */
#ifndef RF_LIB_WIRE_H
#define RF_LIB_WIRE_H

#include "owner.h"

#define WIRE_V4_BYTES 20
#define WIRE_V6_BYTES 40
#define WIRE_PORTS_BYTES 4
#define WIRE_UDP_BYTES 8
#define WIRE_DNS_PORT OWNER_DNS_PORT
/* offset of the data offset in a TCP header */
#define WIRE_TCP_LENGTH 12
#define WIRE_EXTENSIONS_MAX 2
#define IP_FRAGMENT_OFFSET 0x1fff
#define NEXTHDR_HOP 0
#define NEXTHDR_ROUTING 43
#define NEXTHDR_DEST 60

struct wire {
	__u8 source[16]; /* network order */
	__u8 destination[16];
	__u16 family;
	__u16 protocol;
	__u16 source_port; /* host order */
	__u16 destination_port;
	__u32 payload; /* offset of the payload */
	__u32 length;  /* bytes of the payload */
};

static __always_inline bool wire__is_dns(const struct wire *w)
{
	return w->source_port == WIRE_DNS_PORT || w->destination_port == WIRE_DNS_PORT;
}

static __always_inline bool wire__carries(__u32 protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
}

/* Returns the offset of the transport header; 0: there is none to examine. */
static __always_inline __u32 wire__read_v4(struct __sk_buff *packet, struct wire *w)
{
	struct iphdr ip;

	if (bpf_skb_load_bytes(packet, 0, &ip, sizeof(ip)))
		return 0;
	if (!wire__carries(ip.protocol) || (ip.frag_off & bpf_htons(IP_FRAGMENT_OFFSET)))
		return 0;
	w->family = AF_INET;
	w->protocol = ip.protocol;
	__builtin_memcpy(w->source, &ip.saddr, 4);
	__builtin_memcpy(w->destination, &ip.daddr, 4);
	return ip.ihl * 4;
}

static __always_inline __u32 wire__read_v6(struct __sk_buff *packet, struct wire *w)
{
	__u32 at = WIRE_V6_BYTES;
	struct ipv6hdr ip;
	__u8 next;

	if (bpf_skb_load_bytes(packet, 0, &ip, sizeof(ip)))
		return 0;
	next = ip.nexthdr;
	for (int extension = 0; extension < WIRE_EXTENSIONS_MAX && !wire__carries(next); extension++) {
		__u8 head[2]; /* the next header, and the extension's length in units of 8 bytes, less one */

		if (next != NEXTHDR_HOP && next != NEXTHDR_ROUTING && next != NEXTHDR_DEST)
			return 0;
		if (bpf_skb_load_bytes(packet, at, head, sizeof(head)))
			return 0;
		next = head[0];
		at += (head[1] + 1) * 8;
	}
	if (!wire__carries(next))
		return 0;
	w->family = AF_INET6;
	w->protocol = next;
	__builtin_memcpy(w->source, &ip.saddr, 16);
	__builtin_memcpy(w->destination, &ip.daddr, 16);
	return at;
}

/* Returns false if the packet is not examined. */
static __always_inline bool wire__read(struct __sk_buff *packet, struct wire *w)
{
	__u32 transport = packet->protocol == bpf_htons(ETH_P_IP) ? wire__read_v4(packet, w)
			  : packet->protocol == bpf_htons(ETH_P_IPV6) ? wire__read_v6(packet, w)
								      : 0;
	__u32 header = WIRE_UDP_BYTES;
	__be16 ports[2];
	__u8 words;

	if (!transport || bpf_skb_load_bytes(packet, transport, ports, sizeof(ports)))
		return false;
	if (w->protocol == IPPROTO_TCP) {
		if (bpf_skb_load_bytes(packet, transport + WIRE_TCP_LENGTH, &words, sizeof(words)))
			return false;
		header = (words >> 4) * 4;
	}
	w->source_port = bpf_ntohs(ports[0]);
	w->destination_port = bpf_ntohs(ports[1]);
	w->payload = transport + header;
	if (w->payload > packet->len)
		return false;
	w->length = packet->len - w->payload;
	return true;
}

/* Fast path, before anything is copied: most packets are TCP without a payload, or incoming TCP. Returns false in
 * doubt. For outgoing TCP that is not DNS sets `payload` to its offset, and `loopback` if either end is loopback. */
static __always_inline bool wire__can_skip(struct __sk_buff *packet, bool egress, __u32 minimum, __u32 *payload, bool *loopback)
{
	void *data = (void *)(long)packet->data;
	void *end = (void *)(long)packet->data_end;
	bool v6 = packet->protocol == bpf_htons(ETH_P_IPV6);
	__u32 header = WIRE_V6_BYTES;
	struct tcphdr *tcp;
	__u32 begin;

	if (v6) {
		struct ipv6hdr *ip = data;

		if ((void *)(ip + 1) > end || ip->nexthdr != IPPROTO_TCP)
			return false;
		*loopback = socket__is_loopback(AF_INET6, ip->saddr.in6_u.u6_addr32) || socket__is_loopback(AF_INET6, ip->daddr.in6_u.u6_addr32);
	} else {
		struct iphdr *ip = data;

		if ((void *)(ip + 1) > end)
			return false;
		if (ip->protocol != IPPROTO_TCP)
			return !wire__carries(ip->protocol);
		header = ip->ihl * 4;
		*loopback = socket__is_loopback(AF_INET, &ip->saddr) || socket__is_loopback(AF_INET, &ip->daddr);
	}
	tcp = data + header;
	if ((void *)(tcp + 1) > end)
		return false;
	begin = header + tcp->doff * 4;
	if (packet->len < begin + minimum)
		return true;
	if (tcp->source == bpf_htons(WIRE_DNS_PORT) || tcp->dest == bpf_htons(WIRE_DNS_PORT))
		return false;
	*payload = begin;
	return !egress;
}

#endif
