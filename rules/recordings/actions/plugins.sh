## Script written into a web folder by its server
#setup mkdir -p /var/www/html
/usr/sbin/httpd -c 'echo x > /var/www/html/x.php'
## Script written into a web folder by a server's command
#also Shell started by a network server
#setup mkdir -p /var/www/html
server 'echo x > /var/www/html/x.php'
## Extension of a browser or an editor written
mkdir -p /home/ann/.vscode/extensions/x; echo x > /home/ann/.vscode/extensions/x/extension.js
## Script put into a web folder by hand
#setup mkdir -p /var/www/html
echo x > /var/www/html/x.php
## Script of a web folder changed
#setup mkdir -p /var/www/html; echo x > /var/www/html/x.php
sed -i s/x/y/ /var/www/html/x.php
## Module of a server written
#setup mkdir -p /usr/lib/apache2/modules
cp /bin/true /usr/lib/apache2/modules/mod_x.so
## Library of a database server written
#setup mkdir -p /usr/lib/mysql/plugin
cp /bin/true /usr/lib/mysql/plugin/x.so
## Code of the system made a function of a database
#setup stubs /usr/bin/psql
psql -c "CREATE FUNCTION system(cstring) RETURNS int AS '/lib/x86_64-linux-gnu/libc.so.6', 'system' LANGUAGE C STRICT"
## Extension of a browser prescribed for all users
mkdir -p /opt/google/chrome/extensions; echo x > /opt/google/chrome/extensions/x.json
## Settings of a browser changed by another program
mkdir -p /home/ann/.config/google-chrome/Default; echo x > /home/ann/.config/google-chrome/Default/Preferences
## Extension loaded from a folder or a file
#setup stubs /usr/bin/google-chrome
google-chrome --load-extension=/tmp/x
## Plugin of a text editor written
echo x > /home/ann/.vimrc
## Code of an installed program changed by hand
#setup mkdir -p /usr/lib/node_modules/npm/lib; echo 1 > /usr/lib/node_modules/npm/lib/cli.js
sed -i s/1/2/ /usr/lib/node_modules/npm/lib/cli.js
