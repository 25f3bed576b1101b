/* pam SERVICE USER DIRECTORY [fork]: authenticates a user, or
 * fails to. DIRECTORY "" is the system's. The exit code is PAM's. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct conversation {
	int (*converse)(int count, const void **messages, void **answers, void *data);
	void *data;
};

static int converse(int count, const void **messages, void **answers, void *data)
{
	return 19; /* PAM_CONV_ERR: no answer */
}

int main(int argc, char **argv)
{
	void *library = dlopen("libpam.so.0", RTLD_NOW);
	struct conversation conversation = { converse, 0 };
	void *handle = 0;
	int result, status;

	if (!library || argc < 4)
		return 99;
	int (*start)(const char *, const char *, void *, void **) = dlsym(library, "pam_start");
	int (*start_in)(const char *, const char *, void *, const char *, void **) = dlsym(library, "pam_start_confdir");
	int (*set)(void *, int, const void *) = dlsym(library, "pam_set_item");
	int (*authenticate)(void *, int) = dlsym(library, "pam_authenticate");
	int (*end)(void *, int) = dlsym(library, "pam_end");

	if (*argv[3])
		result = start_in(argv[1], 0, &conversation, argv[3], &handle);
	else
		result = start(argv[1], argv[2], &conversation, &handle);
	if (result)
		return 98;
	if (*argv[3]) {
		set(handle, 2, argv[2]);
		set(handle, 3, "ssh");
		set(handle, 4, "198.51.100.7");
	}
	if (argc > 4 && !fork())
		_exit(authenticate(handle, 0));
	if (argc > 4) {
		wait(&status);
		result = WEXITSTATUS(status);
	} else {
		result = authenticate(handle, 0);
	}
	end(handle, result);
	return result;
}
