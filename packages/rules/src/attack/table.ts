/**
 * A table: it may exceed 400 lines. MITRE ATT&CK for Enterprise, v19: a technique a line, its sub-techniques after it,
 * each with where it is seen (L: Linux, C: containers, -: elsewhere) and its name; sub-techniques serve the tactics of
 * their technique. © The MITRE Corporation. Ids, names and tactics are reproduced under the ATT&CK terms of use
 * (attack.mitre.org/resources/legal-and-branding/terms-of-use), which ask for this notice. ATT&CK is a registered
 * trademark of The MITRE Corporation.
 */
export const ATTACK_VERSION = '19';

export const TABLE = `
T1001 L command-and-control Data Obfuscation|.001 L Junk Data|.002 L Steganography|.003 L Protocol or Service Impersonation
T1003 L credential-access OS Credential Dumping|.001 - LSASS Memory|.002 - Security Account Manager|.003 - NTDS|.004 - LSA Secrets|.005 L Cached Domain Credentials|.006 - DCSync|.007 L Proc Filesystem|.008 L /etc/passwd and /etc/shadow
T1005 L collection Data from Local System
T1006 - stealth Direct Volume Access
T1007 L discovery System Service Discovery
T1008 L command-and-control Fallback Channels
T1010 L discovery Application Window Discovery
T1011 L exfiltration Exfiltration Over Other Network Medium|.001 L Exfiltration Over Bluetooth
T1012 - discovery Query Registry
T1014 L stealth Rootkit
T1016 L discovery System Network Configuration Discovery|.001 L Internet Connection Discovery|.002 L Wi-Fi Discovery
T1018 L discovery Remote System Discovery
T1020 L exfiltration Automated Exfiltration|.001 - Traffic Duplication
T1021 L lateral-movement Remote Services|.001 - Remote Desktop Protocol|.002 - SMB/Windows Admin Shares|.003 - Distributed Component Object Model|.004 L SSH|.005 L VNC|.006 - Windows Remote Management|.007 - Cloud Services|.008 - Direct Cloud VM Connections
T1025 L collection Data from Removable Media
T1027 L stealth Obfuscated Files or Information|.001 L Binary Padding|.002 L Software Packing|.003 L Steganography|.004 L Compile After Delivery|.005 L Indicator Removal from Tools|.006 L HTML Smuggling|.007 - Dynamic API Resolution|.008 L Stripped Payloads|.009 L Embedded Payloads|.010 L Command Obfuscation|.011 L Fileless Storage|.012 - LNK Icon Smuggling|.013 L Encrypted/Encoded File|.014 L Polymorphic Code|.015 L Compression|.016 L Junk Code Insertion|.017 L SVG Smuggling|.018 L Invisible Unicode
T1029 L exfiltration Scheduled Transfer
T1030 L exfiltration Data Transfer Size Limits
T1033 L discovery System Owner/User Discovery
T1036 LC stealth Masquerading|.001 - Invalid Code Signature|.002 L Right-to-Left Override|.003 L Rename Legitimate Utilities|.004 L Masquerade Task or Service|.005 LC Match Legitimate Resource Name or Location|.006 L Space after Filename|.007 - Double File Extension|.008 L Masquerade File Type|.009 L Break Process Trees|.010 LC Masquerade Account Name|.011 L Overwrite Process Arguments|.012 L Browser Fingerprint
T1037 L persistence+privilege-escalation Boot or Logon Initialization Scripts|.001 - Logon Script (Windows)|.002 - Login Hook|.003 - Network Logon Script|.004 L RC Scripts|.005 - Startup Items
T1039 L collection Data from Network Shared Drive
T1040 L credential-access+discovery Network Sniffing
T1041 L exfiltration Exfiltration Over C2 Channel
T1046 LC discovery Network Service Discovery
T1047 - execution Windows Management Instrumentation
T1048 L exfiltration Exfiltration Over Alternative Protocol|.001 L Exfiltration Over Symmetric Encrypted Non-C2 Protocol|.002 L Exfiltration Over Asymmetric Encrypted Non-C2 Protocol|.003 L Exfiltration Over Unencrypted Non-C2 Protocol
T1049 L discovery System Network Connections Discovery
T1052 L exfiltration Exfiltration Over Physical Medium|.001 L Exfiltration over USB
T1053 LC execution+persistence+privilege-escalation Scheduled Task/Job|.002 L At|.003 L Cron|.005 - Scheduled Task|.006 L Systemd Timers|.007 C Container Orchestration Job
T1055 L privilege-escalation+stealth Process Injection|.001 - Dynamic-link Library Injection|.002 - Portable Executable Injection|.003 - Thread Execution Hijacking|.004 - Asynchronous Procedure Call|.005 - Thread Local Storage|.008 L Ptrace System Calls|.009 L Proc Memory|.011 - Extra Window Memory Injection|.012 - Process Hollowing|.013 - Process Doppelgänging|.014 L VDSO Hijacking|.015 - ListPlanting
T1056 L credential-access+collection Input Capture|.001 L Keylogging|.002 L GUI Input Capture|.003 L Web Portal Capture|.004 L Credential API Hooking
T1057 L discovery Process Discovery
T1059 L execution Command and Scripting Interpreter|.001 - PowerShell|.002 - AppleScript|.003 - Windows Command Shell|.004 L Unix Shell|.005 L Visual Basic|.006 L Python|.007 L JavaScript|.008 - Network Device CLI|.009 - Cloud API|.010 - AutoHotKey & AutoIT|.011 L Lua|.012 - Hypervisor CLI|.013 C Container CLI/API
T1068 LC privilege-escalation Exploitation for Privilege Escalation
T1069 LC discovery Permission Groups Discovery|.001 L Local Groups|.002 L Domain Groups|.003 - Cloud Groups
T1070 LC stealth Indicator Removal|.003 L Clear Command History|.004 L File Deletion|.005 - Network Share Connection Removal|.006 L Timestomp|.007 L Clear Network Connection History and Configurations|.008 L Clear Mailbox Data|.009 L Clear Persistence|.010 L Relocate Malware
T1071 L command-and-control Application Layer Protocol|.001 L Web Protocols|.002 L File Transfer Protocols|.003 L Mail Protocols|.004 L DNS|.005 L Publish/Subscribe Protocols
T1072 L execution+lateral-movement Software Deployment Tools
T1074 L collection Data Staged|.001 L Local Data Staging|.002 L Remote Data Staging
T1078 LC initial-access+persistence+privilege-escalation+stealth Valid Accounts|.001 LC Default Accounts|.002 L Domain Accounts|.003 LC Local Accounts|.004 - Cloud Accounts
T1080 L lateral-movement Taint Shared Content
T1082 L discovery System Information Discovery
T1083 L discovery File and Directory Discovery
T1087 L discovery Account Discovery|.001 L Local Account|.002 L Domain Account|.003 - Email Account|.004 - Cloud Account
T1090 L command-and-control Proxy|.001 L Internal Proxy|.002 L External Proxy|.003 L Multi-hop Proxy|.004 L Domain Fronting
T1091 - initial-access+lateral-movement Replication Through Removable Media
T1092 L command-and-control Communication Through Removable Media
T1095 L command-and-control Non-Application Layer Protocol
T1098 LC persistence+privilege-escalation Account Manipulation|.001 - Additional Cloud Credentials|.002 - Additional Email Delegate Permissions|.003 - Additional Cloud Roles|.004 L SSH Authorized Keys|.005 - Device Registration|.006 C Additional Container Cluster Roles|.007 L Additional Local or Domain Groups
T1102 L command-and-control Web Service|.001 L Dead Drop Resolver|.002 L Bidirectional Communication|.003 L One-Way Communication
T1104 L command-and-control Multi-Stage Channels
T1105 L command-and-control Ingress Tool Transfer
T1106 L execution Native API
T1110 LC credential-access Brute Force|.001 LC Password Guessing|.002 L Password Cracking|.003 LC Password Spraying|.004 LC Credential Stuffing
T1111 L credential-access Multi-Factor Authentication Interception
T1112 - persistence+defense-impairment Modify Registry
T1113 L collection Screen Capture
T1114 L collection Email Collection|.001 - Local Email Collection|.002 - Remote Email Collection|.003 L Email Forwarding Rule
T1115 L collection Clipboard Data
T1119 L collection Automated Collection
T1120 L discovery Peripheral Device Discovery
T1123 L collection Audio Capture
T1124 L discovery System Time Discovery
T1125 L collection Video Capture
T1127 - execution+stealth Trusted Developer Utilities Proxy Execution|.001 - MSBuild|.002 - ClickOnce|.003 - JamPlus
T1129 L execution Shared Modules
T1132 L command-and-control Data Encoding|.001 L Standard Encoding|.002 L Non-Standard Encoding
T1133 LC initial-access+persistence External Remote Services
T1134 - privilege-escalation+stealth Access Token Manipulation|.001 - Token Impersonation/Theft|.002 - Create Process with Token|.003 - Make and Impersonate Token|.004 - Parent PID Spoofing|.005 - SID-History Injection
T1135 L discovery Network Share Discovery
T1136 LC persistence Create Account|.001 LC Local Account|.002 L Domain Account|.003 - Cloud Account
T1137 - persistence Office Application Startup|.001 - Office Template Macros|.002 - Office Test|.003 - Outlook Forms|.004 - Outlook Home Page|.005 - Outlook Rules|.006 - Add-ins
T1140 L stealth Deobfuscate/Decode Files or Information
T1176 L persistence Software Extensions|.001 L Browser Extensions|.002 L IDE Extensions
T1185 - collection Browser Session Hijacking
T1187 - credential-access Forced Authentication
T1189 L initial-access Drive-by Compromise
T1190 LC initial-access Exploit Public-Facing Application
T1195 L initial-access Supply Chain Compromise|.001 L Compromise Software Dependencies and Development Tools|.002 L Compromise Software Supply Chain|.003 L Compromise Hardware Supply Chain
T1197 - execution+persistence+stealth BITS Jobs
T1199 L initial-access Trusted Relationship
T1200 L initial-access Hardware Additions
T1201 L discovery Password Policy Discovery
T1202 - stealth Indirect Command Execution
T1203 L execution Exploitation for Client Execution
T1204 LC execution User Execution|.001 L Malicious Link|.002 L Malicious File|.003 C Malicious Image|.004 L Malicious Copy and Paste|.005 L Malicious Library
T1205 L persistence+stealth+command-and-control Traffic Signaling|.001 L Port Knocking|.002 L Socket Filters
T1207 - defense-impairment Rogue Domain Controller
T1210 L lateral-movement Exploitation of Remote Services
T1211 L stealth Exploitation for Stealth
T1212 L credential-access Exploitation for Credential Access
T1213 L collection Data from Information Repositories|.001 - Confluence|.002 - Sharepoint|.003 - Code Repositories|.004 - Customer Relationship Management Software|.005 - Messaging Applications|.006 L Databases
T1216 - stealth System Script Proxy Execution|.001 - PubPrn|.002 - SyncAppvPublishingServer
T1217 L discovery Browser Information Discovery
T1218 L stealth System Binary Proxy Execution|.001 - Compiled HTML File|.002 - Control Panel|.003 - CMSTP|.004 - InstallUtil|.005 - Mshta|.007 - Msiexec|.008 - Odbcconf|.009 - Regsvcs/Regasm|.010 - Regsvr32|.011 - Rundll32|.012 - Verclsid|.013 - Mavinject|.014 - MMC|.015 L Electron Applications
T1219 L command-and-control Remote Access Tools|.001 L IDE Tunneling|.002 L Remote Desktop Software|.003 L Remote Access Hardware
T1220 - stealth XSL Script Processing
T1221 - stealth Template Injection
T1222 L defense-impairment File and Directory Permissions Modification|.001 - Windows Permissions|.002 L Linux and Mac Permissions
T1480 L stealth Execution Guardrails|.001 L Environmental Keying|.002 L Mutual Exclusion
T1482 - discovery Domain Trust Discovery
T1484 - privilege-escalation+defense-impairment Domain or Tenant Policy Modification|.001 - Group Policy Modification|.002 - Trust Modification
T1485 LC impact Data Destruction|.001 - Lifecycle-Triggered Deletion
T1486 L impact Data Encrypted for Impact
T1489 L impact Service Stop
T1490 LC impact Inhibit System Recovery
T1491 L impact Defacement|.001 L Internal Defacement|.002 L External Defacement
T1495 L impact Firmware Corruption
T1496 LC impact Resource Hijacking|.001 LC Compute Hijacking|.002 LC Bandwidth Hijacking|.003 - SMS Pumping|.004 - Cloud Service Hijacking
T1497 L stealth+discovery Virtualization/Sandbox Evasion|.001 L System Checks|.002 L User Activity Based Checks|.003 L Time Based Checks
T1498 LC impact Network Denial of Service|.001 L Direct Network Flood|.002 L Reflection Amplification
T1499 LC impact Endpoint Denial of Service|.001 L OS Exhaustion Flood|.002 L Service Exhaustion Flood|.003 L Application Exhaustion Flood|.004 L Application or System Exploitation
T1505 L persistence Server Software Component|.001 L SQL Stored Procedures|.002 L Transport Agent|.003 L Web Shell|.004 - IIS Components|.005 - Terminal Services DLL|.006 - vSphere Installation Bundles
T1518 L discovery Software Discovery|.001 L Security Software Discovery|.002 L Backup Software Discovery
T1525 C persistence Implant Internal Image
T1526 - discovery Cloud Service Discovery
T1528 C credential-access Steal Application Access Token
T1529 L impact System Shutdown/Reboot
T1530 - collection Data from Cloud Storage
T1531 L impact Account Access Removal
T1534 L lateral-movement Internal Spearphishing
T1535 - stealth Unused/Unsupported Cloud Regions
T1537 - exfiltration Transfer Data to Cloud Account
T1538 - discovery Cloud Service Dashboard
T1539 L credential-access Steal Web Session Cookie
T1542 L persistence+stealth Pre-OS Boot|.001 - System Firmware|.002 L Component Firmware|.003 L Bootkit|.004 - ROMMONkit|.005 - TFTP Boot
T1543 LC persistence+privilege-escalation Create or Modify System Process|.001 - Launch Agent|.002 L Systemd Service|.003 - Windows Service|.004 - Launch Daemon|.005 C Container Service
T1546 L persistence+privilege-escalation Event Triggered Execution|.001 - Change Default File Association|.002 - Screensaver|.003 - Windows Management Instrumentation Event Subscription|.004 L Unix Shell Configuration Modification|.005 L Trap|.006 - LC_LOAD_DYLIB Addition|.007 - Netsh Helper DLL|.008 - Accessibility Features|.009 - AppCert DLLs|.010 - AppInit DLLs|.011 - Application Shimming|.012 - Image File Execution Options Injection|.013 - PowerShell Profile|.014 - Emond|.015 - Component Object Model Hijacking|.016 L Installer Packages|.017 L Udev Rules|.018 L Python Startup Hooks
T1547 L persistence+privilege-escalation Boot or Logon Autostart Execution|.001 - Registry Run Keys / Startup Folder|.002 - Authentication Package|.003 - Time Providers|.004 - Winlogon Helper DLL|.005 - Security Support Provider|.006 L Kernel Modules and Extensions|.007 - Re-opened Applications|.008 - LSASS Driver|.009 - Shortcut Modification|.010 - Port Monitors|.012 - Print Processors|.013 L XDG Autostart Entries|.014 - Active Setup|.015 - Login Items
T1548 L privilege-escalation Abuse Elevation Control Mechanism|.001 L Setuid and Setgid|.002 - Bypass User Account Control|.003 L Sudo and Sudo Caching|.004 - Elevated Execution with Prompt|.005 - Temporary Elevated Cloud Access|.006 - TCC Manipulation
T1550 LC lateral-movement Use Alternate Authentication Material|.001 C Application Access Token|.002 - Pass the Hash|.003 - Pass the Ticket|.004 - Web Session Cookie
T1552 LC credential-access Unsecured Credentials|.001 LC Credentials In Files|.002 - Credentials in Registry|.003 L Shell History|.004 L Private Keys|.005 - Cloud Instance Metadata API|.006 - Group Policy Preferences|.007 C Container API|.008 - Chat Messages
T1553 L defense-impairment Subvert Trust Controls|.001 - Gatekeeper Bypass|.002 - Code Signing|.003 - SIP and Trust Provider Hijacking|.004 L Install Root Certificate|.005 - Mark-of-the-Web Bypass|.006 - Code Signing Policy Modification
T1554 L persistence Compromise Host Software Binary
T1555 L credential-access Credentials from Password Stores|.001 - Keychain|.002 L Securityd Memory|.003 L Credentials from Web Browsers|.004 - Windows Credential Manager|.005 L Password Managers|.006 - Cloud Secrets Management Stores
T1556 L persistence+defense-impairment+credential-access Modify Authentication Process|.001 - Domain Controller Authentication|.002 - Password Filter DLL|.003 L Pluggable Authentication Modules|.004 - Network Device Authentication|.005 - Reversible Encryption|.006 L Multi-Factor Authentication|.007 - Hybrid Identity|.008 - Network Provider DLL|.009 - Conditional Access Policies
T1557 L credential-access+collection Adversary-in-the-Middle|.001 - Name Resolution Poisoning and SMB Relay|.002 L ARP Cache Poisoning|.003 L DHCP Spoofing|.004 - Evil Twin
T1558 L credential-access Steal or Forge Kerberos Tickets|.001 - Golden Ticket|.002 - Silver Ticket|.003 - Kerberoasting|.004 - AS-REP Roasting|.005 L Ccache Files
T1559 L execution Inter-Process Communication|.001 - Component Object Model|.002 - Dynamic Data Exchange|.003 - XPC Services
T1560 L collection Archive Collected Data|.001 L Archive via Utility|.002 L Archive via Library|.003 L Archive via Custom Method
T1561 L impact Disk Wipe|.001 L Disk Content Wipe|.002 L Disk Structure Wipe
T1563 L lateral-movement Remote Service Session Hijacking|.001 L SSH Hijacking|.002 - RDP Hijacking
T1564 L stealth Hide Artifacts|.001 L Hidden Files and Directories|.002 L Hidden Users|.003 L Hidden Window|.004 - NTFS File Attributes|.005 L Hidden File System|.006 L Run Virtual Instance|.007 L VBA Stomping|.008 L Email Hiding Rules|.009 - Resource Forking|.010 - Process Argument Spoofing|.011 L Ignore Process Interrupts|.012 L File/Path Exclusions|.013 L Bind Mounts|.014 L Extended Attributes
T1565 L impact Data Manipulation|.001 L Stored Data Manipulation|.002 L Transmitted Data Manipulation|.003 L Runtime Data Manipulation
T1566 L initial-access Phishing|.001 L Spearphishing Attachment|.002 L Spearphishing Link|.003 L Spearphishing via Service|.004 L Spearphishing Voice
T1567 L exfiltration Exfiltration Over Web Service|.001 L Exfiltration to Code Repository|.002 L Exfiltration to Cloud Storage|.003 L Exfiltration to Text Storage Sites|.004 L Exfiltration Over Webhook
T1568 L command-and-control Dynamic Resolution|.001 L Fast Flux DNS|.002 L Domain Generation Algorithms|.003 L DNS Calculation
T1569 L execution System Services|.001 - Launchctl|.002 - Service Execution|.003 L Systemctl
T1570 L lateral-movement Lateral Tool Transfer
T1571 L command-and-control Non-Standard Port
T1572 L command-and-control Protocol Tunneling
T1573 L command-and-control Encrypted Channel|.001 L Symmetric Cryptography|.002 L Asymmetric Cryptography
T1574 L execution+stealth Hijack Execution Flow|.001 - DLL|.004 - Dylib Hijacking|.005 - Executable Installer File Permissions Weakness|.006 L Dynamic Linker Hijacking|.007 L Path Interception by PATH Environment Variable|.008 - Path Interception by Search Order Hijacking|.009 - Path Interception by Unquoted Path|.010 - Services File Permissions Weakness|.011 - Services Registry Permissions Weakness|.012 - COR_PROFILER|.013 - KernelCallbackTable|.014 - AppDomainManager
T1578 - defense-impairment Modify Cloud Compute Infrastructure|.001 - Create Snapshot|.002 - Create Cloud Instance|.003 - Delete Cloud Instance|.004 - Revert Cloud Instance|.005 - Modify Cloud Compute Configurations
T1580 - discovery Cloud Infrastructure Discovery
T1583 - resource-development Acquire Infrastructure|.001 - Domains|.002 - DNS Server|.003 - Virtual Private Server|.004 - Server|.005 - Botnet|.006 - Web Services|.007 - Serverless|.008 - Malvertising
T1584 - resource-development Compromise Infrastructure|.001 - Domains|.002 - DNS Server|.003 - Virtual Private Server|.004 - Server|.005 - Botnet|.006 - Web Services|.007 - Serverless|.008 - Network Devices
T1585 - resource-development Establish Accounts|.001 - Social Media Accounts|.002 - Email Accounts|.003 - Cloud Accounts
T1586 - resource-development Compromise Accounts|.001 - Social Media Accounts|.002 - Email Accounts|.003 - Cloud Accounts
T1587 - resource-development Develop Capabilities|.001 - Malware|.002 - Code Signing Certificates|.003 - Digital Certificates|.004 - Exploits
T1588 - resource-development Obtain Capabilities|.001 - Malware|.002 - Tool|.003 - Code Signing Certificates|.004 - Digital Certificates|.005 - Exploits|.006 - Vulnerabilities|.007 - Artificial Intelligence
T1589 - reconnaissance Gather Victim Identity Information|.001 - Credentials|.002 - Email Addresses|.003 - Employee Names
T1590 - reconnaissance Gather Victim Network Information|.001 - Domain Properties|.002 - DNS|.003 - Network Trust Dependencies|.004 - Network Topology|.005 - IP Addresses|.006 - Network Security Appliances
T1591 - reconnaissance Gather Victim Org Information|.001 - Determine Physical Locations|.002 - Business Relationships|.003 - Identify Business Tempo|.004 - Identify Roles
T1592 - reconnaissance Gather Victim Host Information|.001 - Hardware|.002 - Software|.003 - Firmware|.004 - Client Configurations
T1593 - reconnaissance Search Open Websites/Domains|.001 - Social Media|.002 - Search Engines|.003 - Code Repositories
T1594 - reconnaissance Search Victim-Owned Websites
T1595 - reconnaissance Active Scanning|.001 - Scanning IP Blocks|.002 - Vulnerability Scanning|.003 - Wordlist Scanning
T1596 - reconnaissance Search Open Technical Databases|.001 - DNS/Passive DNS|.002 - WHOIS|.003 - Digital Certificates|.004 - CDNs|.005 - Scan Databases
T1597 - reconnaissance Search Closed Sources|.001 - Threat Intel Vendors|.002 - Purchase Technical Data
T1598 - reconnaissance Phishing for Information|.001 - Spearphishing Service|.002 - Spearphishing Attachment|.003 - Spearphishing Link|.004 - Spearphishing Voice
T1599 - defense-impairment Network Boundary Bridging|.001 - Network Address Translation Traversal
T1600 - defense-impairment Weaken Encryption|.001 - Reduce Key Space|.002 - Disable Crypto Hardware
T1601 - defense-impairment Modify System Image|.001 - Patch System Image|.002 - Downgrade System Image
T1602 - collection Data from Configuration Repository|.001 - SNMP (MIB Dump)|.002 - Network Device Configuration Dump
T1606 L credential-access Forge Web Credentials|.001 L Web Cookies|.002 - SAML Tokens
T1608 - resource-development Stage Capabilities|.001 - Upload Malware|.002 - Upload Tool|.003 - Install Digital Certificate|.004 - Drive-by Target|.005 - Link Target|.006 - SEO Poisoning
T1609 C execution Container Administration Command
T1610 C execution Deploy Container
T1611 LC privilege-escalation Escape to Host
T1612 C stealth Build Image on Host
T1613 C discovery Container and Resource Discovery
T1614 L discovery System Location Discovery|.001 L System Language Discovery
T1615 - discovery Group Policy Discovery
T1619 - discovery Cloud Storage Object Discovery
T1620 L stealth Reflective Code Loading
T1621 L credential-access Multi-Factor Authentication Request Generation
T1622 L stealth+discovery Debugger Evasion
T1647 - defense-impairment Plist File Modification
T1648 - execution Serverless Execution
T1649 L credential-access Steal or Forge Authentication Certificates
T1650 - resource-development Acquire Access
T1651 - execution Cloud Administration Command
T1652 L discovery Device Driver Discovery
T1653 L persistence Power Settings
T1654 L discovery Log Enumeration
T1657 L impact Financial Theft
T1659 L initial-access+command-and-control Content Injection
T1665 L command-and-control Hide Infrastructure
T1666 - defense-impairment Modify Cloud Resource Hierarchy
T1667 L impact Email Bombing
T1668 L persistence Exclusive Control
T1669 L initial-access Wi-Fi Networks
T1671 - persistence Cloud Application Integration
T1673 L discovery Virtual Machine Discovery
T1674 L execution Input Injection
T1675 - execution ESXi Administration Command
T1677 - execution Poisoned Pipeline Execution
T1678 L stealth Delay Execution
T1679 - stealth Selective Exclusion
T1680 L discovery Local Storage Discovery
T1681 - reconnaissance Search Threat Vendor Data
T1682 - reconnaissance Query Public AI Services
T1683 - resource-development Generate Content|.001 - Written Content|.002 - Audio-Visual Content
T1684 L stealth Social Engineering|.001 L Impersonation|.002 L Email Spoofing
T1685 LC defense-impairment Disable or Modify Tools|.001 - Disable or Modify Windows Event Log|.002 - Disable or Modify Cloud Log|.003 L Modify or Spoof Tool UI|.004 L Disable or Modify Linux Audit System Log|.005 - Clear Windows Event Logs|.006 L Clear Linux or Mac System Logs
T1686 L defense-impairment Disable or Modify System Firewall|.001 - Cloud Firewall|.002 - Network Device Firewall|.003 - Windows Host Firewall
T1687 L defense-impairment Exploitation for Defense Impairment
T1688 - defense-impairment Safe Mode Boot
T1689 L defense-impairment Downgrade Attack
T1690 L defense-impairment Prevent Command History Logging
`;

/** Ids that v19 revoked, with their successors. */
export const REVOKED: Readonly<Record<string, string>> = {
  T1562: 'T1685',
  'T1562.001': 'T1685',
  'T1562.002': 'T1685.001',
  'T1562.003': 'T1690',
  'T1562.004': 'T1686',
  'T1562.006': 'T1685',
  'T1562.007': 'T1686.001',
  'T1562.008': 'T1685.002',
  'T1562.009': 'T1688',
  'T1562.010': 'T1689',
  'T1562.011': 'T1685.003',
  'T1562.012': 'T1685.004',
  'T1562.013': 'T1686.002',
  'T1070.001': 'T1685.005',
  'T1070.002': 'T1685.006',
  'T1574.002': 'T1574.001',
  T1656: 'T1684.001',
  T1672: 'T1684.002',
};

/** Tactics that v18 had in addition to those of v19: rules written for v18 are right. */
export const SERVED_BEFORE: Readonly<Record<string, readonly string[]>> = {
  T1548: ['stealth'],
  T1550: ['stealth'],
  T1574: ['persistence', 'privilege-escalation'],
  T1610: ['stealth'],
};
