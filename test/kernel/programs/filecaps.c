/* filecaps FILE: gives the file CAP_NET_RAW, permitted and effective. */
#include <linux/capability.h>
#include <sys/xattr.h>

int main(int argc, char **argv)
{
	struct vfs_cap_data data = { .magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE, .data = { { .permitted = 1 << CAP_NET_RAW } } };

	return argc < 2 || setxattr(argv[1], "security.capability", &data, sizeof(data), 0);
}
