## serves PHP
#desc a web server with PHP applications: a pool of workers, uploads, a written cache, mails and pictures made by other programs, cron jobs
#in host
#in wordpress:6
#needs php8.2 php-fpm8.2 nginx
#setup id www-data > /dev/null 2>&1 || useradd -r www-data
#setup mkdir -p /srv/php/cache /srv/php/uploads /var/log/nginx /var/lib/nginx /run/php; chown -R www-data /srv/php
printf '#!/bin/sh\ncat > /dev/null\n' > /usr/local/bin/sendmail; printf '#!/bin/sh\ntouch "$2"\n' > /usr/local/bin/convert; chmod 755 /usr/local/bin/sendmail /usr/local/bin/convert
cat > /srv/php/index.php <<'P'
<?php $n = (int)($_GET['n'] ?? 0);
file_put_contents("/srv/php/cache/$n.php", "<?php return $n;"); include "/srv/php/cache/$n.php";
if ($n % 10 == 3) mail('a@example.org', 'hello', 'text');
if ($n % 10 == 5) { exec('convert ' . escapeshellarg("/srv/php/uploads/$n") . ' ' . escapeshellarg("/srv/php/uploads/$n.png")); }
if (isset($_FILES['f'])) { move_uploaded_file($_FILES['f']['tmp_name'], "/srv/php/uploads/" . basename($_FILES['f']['name'])); }
foreach (glob('/srv/php/cache/*.php') as $f) { stat($f); } session_start(); echo $n, gethostbyname('localhost');
P
printf '[global]\npid=/run/php/fpm.pid\nerror_log=/var/log/fpm.log\n[www]\nuser=www-data\ngroup=www-data\nlisten=/run/php/fpm.sock\nlisten.owner=www-data\npm=dynamic\npm.max_children=4\npm.start_servers=2\npm.min_spare_servers=1\npm.max_spare_servers=3\npm.max_requests=60\nphp_admin_value[sendmail_path]=/usr/local/bin/sendmail -t -i\n' > /srv/fpm.conf
cat > /srv/nginx.conf <<'C'
user www-data; pid /run/nginx.pid; events {} http { client_max_body_size 1m; server { listen 127.0.0.1:8093; root /srv/php; location / { fastcgi_pass unix:/run/php/fpm.sock; fastcgi_param SCRIPT_FILENAME /srv/php/index.php; fastcgi_param QUERY_STRING $query_string; fastcgi_param REQUEST_METHOD $request_method; fastcgi_param CONTENT_TYPE $content_type; fastcgi_param CONTENT_LENGTH $content_length; } } }
C
php-fpm8.2 -y /srv/fpm.conf; nginx -c /srv/nginx.conf; for n in $(seq 1 150); do echo "url=http://127.0.0.1:8093/?n=$n"; echo 'output=/dev/null'; done > /srv/urls; curl -s -K /srv/urls; for n in 1 2 3 4 5; do head -c 5000 /dev/urandom > /srv/$n.jpg; curl -s -F f=@/srv/$n.jpg "http://127.0.0.1:8093/?n=$n"; done; curl -s -K /srv/urls
su www-data -s /bin/sh -c 'php8.2 -r "foreach (glob(\"/srv/php/cache/*.php\") as \$f) unlink(\$f);"'; php8.2 -S 127.0.0.1:8094 -t /srv/php & p=$!; sleep 0.5; for n in 1 2 3 5; do curl -s "http://127.0.0.1:8094/index.php?n=$n"; done; kill $p; php8.2 -v; php8.2 -m > /dev/null; php8.2 -l /srv/php/index.php; kill -USR2 "$(cat /run/php/fpm.pid)"; sleep 0.5; curl -s "http://127.0.0.1:8093/?n=5"; nginx -c /srv/nginx.conf -s quit; kill "$(cat /run/php/fpm.pid)"
