/* tls CERTIFICATE KEY: a client and a server in one process, over memory. Sends
 * with SSL_write and SSL_write_ex, receives with SSL_read and SSL_read_ex. */
#include <openssl/ssl.h>
#include <string.h>

static SSL *side(SSL_CTX *context, BIO *bio)
{
	SSL *ssl = SSL_new(context);

	SSL_set_bio(ssl, bio, bio);
	return ssl;
}

int main(int argc, char **argv)
{
	SSL_CTX *server_context = SSL_CTX_new(TLS_server_method());
	SSL_CTX *client_context = SSL_CTX_new(TLS_client_method());
	BIO *client_bio, *server_bio;
	char big[3000], buffer[4096];
	size_t moved = 0;

	if (SSL_CTX_use_certificate_file(server_context, argv[1], SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_use_PrivateKey_file(server_context, argv[2], SSL_FILETYPE_PEM) != 1)
		return 1;
	BIO_new_bio_pair(&client_bio, 65536, &server_bio, 65536);
	SSL *client = side(client_context, client_bio), *server = side(server_context, server_bio);
	SSL_set_connect_state(client);
	SSL_set_accept_state(server);
	for (int turn = 0; turn < 20 && !(SSL_is_init_finished(client) && SSL_is_init_finished(server)); turn++) {
		SSL_do_handshake(client);
		SSL_do_handshake(server);
	}
	if (SSL_write(client, "GET / secret\n", 13) != 13 || SSL_read(server, buffer, sizeof(buffer)) != 13)
		return 2;
	/* no data: no event */
	if (SSL_read(server, buffer, sizeof(buffer)) > 0)
		return 3;
	memset(big, 'b', sizeof(big));
	if (SSL_write_ex(server, big, sizeof(big), &moved) != 1 || SSL_read_ex(client, buffer, sizeof(buffer), &moved) != 1)
		return 4;
	return 0;
}
