/* probed URI SIZE: a shop with functions and a USDT probe for tests to attach to. */
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Does what systemtap's <sys/sdt.h> does, for three arguments. */
#define USDT(provider, name, semaphore, first, second, third)                                                                        \
	__asm__ volatile("990: nop\n"                                                                                                 \
			 ".pushsection .note.stapsdt,\"\",\"note\"\n"                                                                 \
			 ".balign 4\n"                                                                                                \
			 ".4byte 992f - 991f, 994f - 993f, 3\n"                                                                       \
			 "991: .asciz \"stapsdt\"\n"                                                                                  \
			 "992: .balign 4\n"                                                                                           \
			 "993: .8byte 990b, _.stapsdt.base, " #semaphore "\n"                                                         \
			 ".asciz \"" #provider "\", \"" #name "\", \"-4@%0 8@%1 4@%2\"\n"                                             \
			 "994: .balign 4\n"                                                                                           \
			 ".popsection\n"                                                                                              \
			 ".ifndef _.stapsdt.base\n"                                                                                   \
			 ".pushsection .stapsdt.base,\"aG\",\"progbits\",.stapsdt.base,comdat\n"                                      \
			 ".weak _.stapsdt.base\n"                                                                                     \
			 ".hidden _.stapsdt.base\n"                                                                                   \
			 "_.stapsdt.base: .space 1\n"                                                                                 \
			 ".size _.stapsdt.base, 1\n"                                                                                  \
			 ".popsection\n"                                                                                              \
			 ".endif\n"                                                                                                   \
			 :                                                                                                            \
			 : "nor"(first), "nor"(second), "nor"(third))

struct order {
	int number;
	short discount;
	const char *uri;
	struct sockaddr_in buyer;
	struct in6_addr seller;
	struct order *next;
};

volatile unsigned short shop_order_semaphore __attribute__((section(".probes"), used));

__attribute__((noinline)) int shop_handle(struct order *order, const char *uri, long size)
{
	__asm__ volatile("" : : "r"(uri) : "memory");
	return order->number + (int)size;
}

__attribute__((noinline)) const char *shop_answer(const char *uri)
{
	__asm__ volatile("" : : : "memory");
	return uri;
}

int main(int argc, char **argv)
{
	struct order last = { .number = 7, .discount = -3 };
	struct order order = { .number = -40, .discount = -2, .uri = argv[1], .next = &last };
	volatile int number = -40;

	order.buyer.sin_addr.s_addr = htonl(0xc6336407);
	order.seller.s6_addr[0] = 0x20;
	order.seller.s6_addr[1] = 0x01;
	order.seller.s6_addr[15] = 9;
	/* not resident, and never touched by this program */
	last.uri = mmap(0, 4096, PROT_READ, MAP_PRIVATE, open("/proc/self/exe", O_RDONLY), 0);
	__asm__ volatile("" : : "r"(&order), "r"(&last) : "memory");
	shop_handle(&order, argv[1], atol(argv[2]));
	shop_answer(argv[1]);
	if (shop_order_semaphore)
		USDT(shop, order, shop_order_semaphore, number, argv[1], 5);
	syscall(SYS_sync_file_range, -1, 17L, 33L, 0);
	return argc == 3 ? 0 : 2;
}
