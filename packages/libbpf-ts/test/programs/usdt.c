/* A program with its own probe, libbpf_ts:counted, as <sys/sdt.h>
 * would make it: a nop, and a note with its address and arguments. */
__asm__(".pushsection .stapsdt.base,\"aG\",\"progbits\",.stapsdt.base,comdat\n"
	".weak _.stapsdt.base\n"
	".hidden _.stapsdt.base\n"
	"_.stapsdt.base: .space 1\n"
	".size _.stapsdt.base,1\n"
	".popsection\n");

static __attribute__((noinline)) void counted(long number)
{
	__asm__ volatile("990: nop\n"
			 ".pushsection .note.stapsdt,\"\",\"note\"\n"
			 ".balign 4\n"
			 ".4byte 992f-991f,994f-993f,3\n"
			 "991: .asciz \"stapsdt\"\n"
			 "992: .balign 4\n"
			 "993: .8byte 990b\n"
			 ".8byte _.stapsdt.base\n"
			 ".8byte 0\n"
			 ".asciz \"libbpf_ts\"\n"
			 ".asciz \"counted\"\n"
			 ".asciz \"-8@%0\"\n"
			 "994: .balign 4\n"
			 ".popsection\n"
			 :
			 : "r"(number));
}

int main(int argc, char **argv)
{
	for (long number = -3; number < 4; number++)
		counted(number * 100 + argc);
	return 0;
}
