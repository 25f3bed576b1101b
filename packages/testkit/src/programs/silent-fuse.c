// A file system in user space that does not answer: silent-fuse DIRECTORY probe|lookups|reads|slow
//
// It mounts itself on DIRECTORY and prints a line. "lookups": it never answers a lookup. "reads": its only file is
// called `file`, can be opened, and is never read. "slow": a page of that file takes 5 ms. "probe": it ends at once.
// It ends with its parent.
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static int device, slow;

static void answer(unsigned long long unique, int error, const void *body, unsigned size)
{
	char bytes[8192];
	struct fuse_out_header header = { .len = sizeof(header) + size, .error = error, .unique = unique };
	memcpy(bytes, &header, sizeof(header));
	if (size > 0)
		memcpy(bytes + sizeof(header), body, size);
	if (write(device, bytes, header.len) < 0 && errno != ENOENT)
		perror("write");
}

static struct fuse_attr attributes(unsigned long long node)
{
	struct fuse_attr attr = { .ino = node, .nlink = 1, .size = node == 1 ? 0 : 4096, .blksize = 4096, .ctime = 1000 };
	attr.size = slow && node != 1 ? 8 << 20 : attr.size;
	attr.mode = node == 1 ? S_IFDIR | 0755 : S_IFREG | 0755;
	return attr;
}

static void serve(const struct fuse_in_header *in, const char *argument, int reads)
{
	switch (in->opcode) {
	case FUSE_INIT: {
		struct fuse_init_out out = { .major = FUSE_KERNEL_VERSION, .minor = 31, .max_readahead = slow ? 0 : 131072, .max_write = 4096,
					     .flags = FUSE_ASYNC_READ };
		return answer(in->unique, 0, &out, sizeof(out));
	}
	case FUSE_LOOKUP: {
		struct fuse_entry_out out = { .nodeid = 2, .attr_valid = 1000, .entry_valid = 1000, .attr = attributes(2) };
		if (!reads)
			return;
		if (strcmp(argument, "file") != 0)
			return answer(in->unique, -ENOENT, NULL, 0);
		return answer(in->unique, 0, &out, sizeof(out));
	}
	case FUSE_GETATTR: {
		struct fuse_attr_out out = { .attr_valid = 1000, .attr = attributes(in->nodeid) };
		return answer(in->unique, 0, &out, sizeof(out));
	}
	case FUSE_OPEN:
	case FUSE_OPENDIR: {
		struct fuse_open_out out = { .fh = 1 };
		return answer(in->unique, 0, &out, sizeof(out));
	}
	case FUSE_STATFS: {
		struct fuse_statfs_out out = { .st = { .bsize = 4096, .namelen = 255 } };
		return answer(in->unique, 0, &out, sizeof(out));
	}
	case FUSE_READ: {
		static const char page[4096];
		if (!slow)
			return;
		usleep(5000);
		return answer(in->unique, 0, page, sizeof(page));
	}
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		return;
	default:
		return answer(in->unique, -ENOSYS, NULL, 0);
	}
}

int main(int argc, char **argv)
{
	char options[128], bytes[65536];
	slow = argc > 2 && strcmp(argv[2], "slow") == 0;
	device = open("/dev/fuse", O_RDWR);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", device);
	if (argc < 3 || device < 0 || mount("silent", argv[1], "fuse", 0, options) < 0) {
		perror("silent-fuse");
		return 1;
	}
	puts("mounted");
	fflush(stdout);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (strcmp(argv[2], "probe") != 0) {
		long length = read(device, bytes, sizeof(bytes));
		if (length < (long)sizeof(struct fuse_in_header))
			return 1;
		serve((struct fuse_in_header *)bytes, bytes + sizeof(struct fuse_in_header), strcmp(argv[2], "lookups") != 0);
	}
	return 0;
}
