# The other half, of a tree of processes of its own: as if a scheduler had started it.
/srv/job -c 'sleep 0.1'
